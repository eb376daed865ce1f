"""What was last signed for each device: its director's metadata and its deployment, one file a device.

It keeps the count: no generation is taken back, or signed with two contents. Signing is signing.py's.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from device import durable
from device.errors import NotFoundError, RejectedError
from device.protocol.deployment import Deployment, decode
from device.protocol.fields import is_name

Signed = Mapping[str, Any]
"""`director`, its texts by role, and `deployment`, the document."""


class DirectorFiles:
    """The files in `folder`; each is replaced as a whole."""

    def __init__(self, folder: Path) -> None:
        durable.make_folder(folder, 0o700)
        durable.sweep(folder)
        self._folder = folder

    def last(self, device: str) -> Signed | None:
        """What was last signed for the device, None for nothing. NotFoundError for an impossible name."""
        path = self._path(device)
        return json.loads(path.read_bytes()) if path.exists() else None

    def save(self, device: str, signed: Signed) -> None:
        """Keep what was signed for the device, durably."""
        durable.write_file(self._path(device), json.dumps(signed).encode(), mode=0o600)

    def go_on(self, device: str, before: str) -> None:
        """The versions of a new device's metadata go on from those of `before`: its board believes no lower ones."""
        last = self.last(before)
        if last is not None and self.last(device) is None:
            self.save(device, last)

    def check(self, deployment: Deployment) -> None:
        """Raise RejectedError when the deployment takes a generation back, or changes one."""
        last = self.last(deployment.device)
        if last is None:
            return
        before = decode(last["deployment"].encode())
        same = deployment.with_patches(set()).encode() == before.with_patches(set()).encode()
        if deployment.generation < before.generation or (deployment.generation == before.generation and not same):
            raise RejectedError(
                f"{deployment.device} was already given generation {before.generation}",
                f"generation {deployment.generation} would go back",
                f"Use {before.generation + 1}",
            )

    def _path(self, device: str) -> Path:
        if not is_name(device):
            raise NotFoundError(f"{device!r} is not a device's name")
        return self._folder / f"{device}.json"
