"""The file names fit to travel: text in any language, in one spelling, with the same meaning on every system.

Names are UTF-8 in Unicode's composed form (NFC): macOS stores "ü" as two characters, Linux as it was typed. The names
within a package are its makers', and stay as they are while they stay in their folder. It decides; archive.py asks.
"""

import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NoReturn

from device.errors import BadArtifactError

# In bytes: a file system's room for a name; less than its 4,096 for a path, for trees lie deep in the agent's folder.
MAX_PART, MAX_NAME = 255, 1024
# Characters with a meaning of their own on some system.
_SPECIAL = frozenset('\\:*?"<>|')
# Hidden, an option, somebody's home, or invisible.
_BAD_STARTS = (".", "-", "~")
# They join or part letters, as Persian and Hindi need it; the other invisible characters can disguise a name.
_JOINERS = "\u200c\u200d"


def composed(name: str) -> str:
    """The one spelling of the name in an archive."""
    return unicodedata.normalize("NFC", name)


def same(name: str) -> str:
    """Equal for two names that are one file on a system that ignores capitals, or how accents are stored."""
    return composed(composed(name).casefold())


def check(name: str) -> None:
    """Raise BadArtifactError for a name, with `/` between its parts, if it is unsafe, or differs between systems."""
    shown = ascii(name) if not name.isprintable() else repr(name)
    if name.startswith("/") or ".." in name.split("/"):
        raise BadArtifactError(f"The file name {shown} leads out of its folder")
    if not all(_is_good(part) for part in name.split("/")):
        raise BadArtifactError(
            f"The file name {shown} cannot be sent",
            "it is not the same on every system",
            'Use letters of any language, digits, spaces and signs other than \\ : * ? " < > |, '
            "and begin with a letter, a digit or _",
        )
    if composed(name) != name:
        raise BadArtifactError(f"The file name {shown} cannot be sent", "its accents are stored apart from the letters")
    _check_length(name, shown)


def check_package(name: str) -> None:
    """Raise BadArtifactError for a name within a package if it leads out of its folder, or a disk cannot take it."""
    shown = ascii(name) if not name.isprintable() else repr(name)
    parts = name.split("/")
    if name.startswith("/") or ".." in parts:
        raise BadArtifactError(f"The file name {shown} leads out of its folder")
    if "." in parts or "" in parts or any(unicodedata.category(each) in ("Cc", "Cs") for each in name):
        raise BadArtifactError(f"The file name {shown} cannot be sent", "it is not the same on every system")
    _check_length(name, shown)


def _check_length(name: str, shown: str) -> None:
    parts = [len(each.encode()) for each in name.split("/")]
    if max(parts) > MAX_PART:
        _too_long(shown, MAX_PART)
    if len(name.encode()) > MAX_NAME:
        _too_long(shown, MAX_NAME)


def _too_long(shown: str, most: int) -> NoReturn:
    why = f"at most {most} bytes can be {'sent with its folders' if most == MAX_NAME else 'stored'}; "
    raise BadArtifactError(
        f"The file name {shown} is too long", f"{why}a letter beyond English has two to four", "Shorten it"
    )


def _is_good(part: str) -> bool:
    if not part or part.startswith(_BAD_STARTS):
        return False
    first = unicodedata.category(part[0])
    return first[0] not in "MZ" and part[0] not in _JOINERS and all(_is_visible(each) for each in part)


def _is_visible(character: str) -> bool:
    if character in _SPECIAL:
        return False
    return character.isprintable() or character in _JOINERS or unicodedata.category(character) == "Zs"


def check_together(names: Iterable[str]) -> None:
    """Raise BadArtifactError when two of the names are one on some machine, or are one here."""
    seen: dict[str, str] = {}
    for name in names:
        if seen.get(same(name)) == name:
            raise BadArtifactError(f"The archive has {name!r} twice")
        _note(seen, name)
    for name in list(seen.values()):
        for parent in PurePosixPath(name).parents:
            _note(seen, str(parent))


def _note(seen: dict[str, str], name: str) -> None:
    other = seen.setdefault(same(name), name)
    if other != name:
        raise BadArtifactError(f"{other!r} and {name!r} are one name where capitals do not count", "", "Rename one")
