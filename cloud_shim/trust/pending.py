"""An offer with a new root that too few have signed yet, kept as a file until further signatures have come.

One of a repository at a time: another change takes its place. It judges no signature beyond what root_metadata.py does,
and puts nothing in force.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloud_shim.trust import release_metadata, root_metadata
from device import durable

Json = dict[str, Any]


class Pending:
    """What waits in `path`, an offer whose `root` is to follow the present one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, present: str) -> Json | None:
        """The offer that waits, None when none does or when it was for another root than `present`."""
        if not self._path.exists():
            return None
        kept: Json = json.loads(self._path.read_bytes())
        follows = release_metadata.parse(kept["root"]).signed.version == root_metadata.root_of(present).version + 1
        return kept if follows else None

    def gather(self, present: str, offer: Mapping[str, object]) -> Json | None:
        """The offer with every signature that has come for its root; None, and it waits, while they are too few.

        Whoever adds a signature need only offer the root: the rest is as it was first offered.
        """
        root, kept = str(offer["root"]), self.get(present)
        if kept and _same(root, kept["root"]):
            offer = {**kept, **offer, "root": root_metadata.joined(present, root, kept["root"])}
        if root_metadata.missing(present, str(offer["root"])):
            durable.write_file(self._path, json.dumps(offer).encode())
            return None
        return dict(offer)

    def forget(self) -> None:
        """Nothing waits any more."""
        durable.remove(self._path)


def _same(one: str, other: str) -> bool:
    return release_metadata.parse(one).signed_bytes == release_metadata.parse(other).signed_bytes
