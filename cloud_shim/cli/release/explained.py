"""Why a function gets which packages on a board: `lamplight deploy --explain`.

Each package with its version and size, and the packages that need it; what a marker leaves out; what the board brings;
and what is newer but has no wheel. It asks the index anew, within the versions of a lock, and writes nothing.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cloud_shim.cli.release import layers, wheel_files
from cloud_shim.cli.release.layers import Board, Resolved, Say
from cloud_shim.cli.release.wheel_files import Opened

SENT, BOARDS, LEFT_OUT = "sent", "on the board", "left out"


@dataclass(frozen=True)
class Row:
    """A package: `how` is SENT, BOARDS or LEFT_OUT.

    `size` is in bytes, unpacked; `needed_by` has packages, or the file with the function's needs; `note` is for a
    person: the marker that leaves it out, or the newer version without a wheel. `source` is the source distribution
    that it was built from here.
    """

    name: str
    version: str
    how: str
    size: int
    needed_by: tuple[str, ...]
    note: str = ""
    source: str = ""

    def to_json(self) -> dict[str, Any]:
        """The JSON form."""
        return {**vars(self), "needed_by": list(self.needed_by)}


def rows(folder: Path, board: Board, say: Say = layers.quiet, build: bool = False) -> list[Row]:
    """A row for each package that the function in `folder` names, gets or finds on the board, those sent first.

    `say` and `build` as layers.layer has them.
    """
    with tempfile.TemporaryDirectory(prefix="lamplight-layer-") as work:
        found = layers.resolve(folder, board, Path(work), say, anew=True, build=build)
        if found is None:
            return []
        with wheel_files.opened(found.files) as opened:
            return _rows(found, opened, board)


HEADINGS = ("PACKAGE", "VERSION", "SIZE", "NEEDED BY", "")


def table(given: Sequence[Row]) -> list[tuple[str, ...]]:
    """The rows for a person, under HEADINGS."""
    return [(each.name, each.version, _size(each), ", ".join(each.needed_by), _note(each)) for each in given]


def _note(row: Row) -> str:
    built = f"built from {row.source}" if row.source else ""
    return "; ".join(each for each in (built, row.note) if each)


def _size(row: Row) -> str:
    return f"{max(row.size // 1024, 1):,} kB" if row.how == SENT else row.how


def _rows(found: Resolved, opened: Sequence[Opened], board: Board) -> list[Row]:
    by_name = {wheel.name: each for wheel, each in zip(found.lock.wheels, opened, strict=True)}
    asked = _asked(found, by_name)
    needed = _needed(asked, board)
    newer = layers.newer(found)
    sent = [
        Row(
            each.name,
            each.version,
            SENT,
            by_name[each.name].size,
            needed.get(each.name, ()),
            newer.get(each.name, ""),
            each.source.file if each.source else "",
        )
        for each in found.lock.wheels
    ]
    brought = board.brought()
    there = [Row(name, brought[name], BOARDS, 0, needed[name]) for name in sorted(brought) if name in needed]
    return [*sent, *there, *_left_out(asked, {each.name for each in (*sent, *there)})]


def _asked(found: Resolved, by_name: Mapping[str, Opened]) -> list[tuple[str, frozenset[str], Requirement]]:
    """Each requirement, with who has it, and with the extras of it that are wanted."""
    own = [(found.needs.file, frozenset[str](), each.requirement) for each in found.needs.wanted]
    extras: dict[str, set[str]] = {}
    every = [*(each for _, _, each in own), *(each for wheel in by_name.values() for each in wheel.requires)]
    for each in every:
        extras.setdefault(canonicalize_name(each.name), set()).update(each.extras)
    theirs = [
        (name, frozenset(extras.get(name, ())), each) for name, wheel in by_name.items() for each in wheel.requires
    ]
    return [*own, *theirs]


def _counts(requirement: Requirement, extras: frozenset[str], board: Board) -> bool:
    return any(board.platform.takes(requirement.marker, extra) for extra in ("", *extras))


def _needed(asked: Sequence[tuple[str, frozenset[str], Requirement]], board: Board) -> dict[str, tuple[str, ...]]:
    needed: dict[str, tuple[str, ...]] = {}
    for who, extras, each in asked:
        if _counts(each, extras, board):
            name = canonicalize_name(each.name)
            needed[name] = tuple(dict.fromkeys((*needed.get(name, ()), who)))
    return needed


def _left_out(asked: Sequence[tuple[str, frozenset[str], Requirement]], there: set[str]) -> list[Row]:
    """The requirements that a marker of the board leaves out; those of unwanted extras are not worth a line."""
    left: dict[str, Row] = {}
    for who, _, each in asked:
        name, marker = canonicalize_name(each.name), str(each.marker or "")
        if marker and "extra" not in marker and name not in there:
            left.setdefault(name, Row(name, str(each.specifier), LEFT_OUT, 0, (who,), f"only for {marker}"))
    return [left[name] for name in sorted(left)]
