"""An offer with a new root still short of signatures, kept as a file until further signatures have come.

One of a repository at a time: another change takes its place. Signatures are judged by root_metadata.py; the offer is
put in force elsewhere.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloud_shim.trust import release_metadata, root_metadata
from device import durable

Json = dict[str, Any]


class Pending:
    """The offer waiting in `path`: its `root` is to follow the present one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, present: str) -> Json | None:
        """The waiting offer; None when there is none, or when it was for another root than `present`."""
        if not self._path.exists():
            return None
        kept: Json = json.loads(self._path.read_bytes())
        follows = release_metadata.parse(kept["root"]).signed.version == root_metadata.root_of(present).version + 1
        return kept if follows else None

    def gather(self, present: str, offer: Mapping[str, object]) -> Json | None:
        """The offer with all signatures for its root so far; None, and the offer waits, while they are too few.

        A further signer need only offer the root: the rest stays as it was first offered.
        """
        root, kept = str(offer["root"]), self.get(present)
        if kept and _same(root, kept["root"]):
            offer = {**kept, **offer, "root": root_metadata.joined(present, root, kept["root"])}
        if root_metadata.missing(present, str(offer["root"])):
            durable.write_file(self._path, json.dumps(offer).encode(), mode=0o600)
            return None
        return dict(offer)

    def forget(self) -> None:
        """Drop the waiting offer."""
        durable.remove(self._path)


def _same(one: str, other: str) -> bool:
    return release_metadata.parse(one).signed_bytes == release_metadata.parse(other).signed_bytes
