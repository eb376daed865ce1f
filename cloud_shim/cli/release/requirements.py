"""Reads a function's requirements.txt: names, versions, extras, markers and digests, and nothing else.

pip's own reader follows options, folders, links and environment variables, and runs what it finds there. This one
refuses them, with the line's number. The lines that go on to pip are written anew from what was understood here.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name, is_normalized_name

from cloud_shim.cli.release import places
from device.errors import RejectedError
from device.protocol.layer import REQUIREMENTS

_MAX_BYTES = 1 << 20
# The longer mark first: UTF-32's begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_COMMENT = re.compile(r"(^|\s+)#.*$")
_OPTION = re.compile(r"\s+(?=-)")
_HASH = re.compile(r"--hash[=\s]\s*(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})", re.ASCII)
_ARCHIVE = re.compile(r"\.(whl|zip|tar|tgz|tbz|txz|tlz|tar\.(gz|bz2|xz|lz|lzma))$", re.I)
_PLACE = re.compile(r"^[.~]|[/\\]|^[a-z][a-z0-9+.-]*:", re.I)
# In a line for pip: a variable, an option, a comment. A marker's escapes (`"\\x20"`) make such out of plain letters.
_PIPS = re.compile(r"\$\{|\s[-#]")
_ONE_A_LINE = "Write one package a line, such as `requests>=2.31`"
_BY_NAME = "Name the package, as in `requests>=2.31`; copy code of your own into the function's folder"
_WHEELS = f'name their folder beside the function, in {places.FILE}: [packages] and `wheels = ["wheels"]`'


@dataclass(frozen=True)
class Wanted:
    """One requirement, with the digests that its file may have (as "sha256:…"); none stands for any file."""

    requirement: Requirement
    hashes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The package's name, in one spelling (PEP 503)."""
        return canonicalize_name(self.requirement.name)

    def line(self) -> str:
        """The requirement as a line for pip, in one spelling."""
        marker = f" ; {self.requirement.marker}" if self.requirement.marker else ""
        return f"{self.unmarked()}{marker}{''.join(f' --hash={each}' for each in sorted(self.hashes))}"

    def unmarked(self) -> str:
        """The requirement without its marker and digests."""
        asked = self.requirement
        extras = f"[{','.join(sorted(asked.extras))}]" if asked.extras else ""
        return f"{self.name}{extras}{asked.specifier}"


def read(file: Path) -> tuple[Wanted, ...]:
    """The requirements in the file; raises RejectedError with the line that is none."""
    with file.open("rb") as stream:
        data = stream.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise RejectedError(f"{REQUIREMENTS} is too long", f"it may have {_MAX_BYTES >> 20} MiB")
    return parse(decode(data))


def decode(data: bytes) -> str:
    """The file's text: UTF-8, or what the mark at its begin says."""
    mark, encoding = next((each for each in _MARKS if data.startswith(each[0])), (b"", "utf-8"))
    try:
        return data.removeprefix(mark).decode(encoding)
    except UnicodeDecodeError as error:
        number = data[: error.start].count(b"\n") + 1
        raise _refused(number, "it is not in UTF-8", "Save the file as UTF-8") from None


def parse(text: str) -> tuple[Wanted, ...]:
    """The requirements in the text; raises RejectedError with the line that is none."""
    found = tuple(_wanted(line, number) for number, line in _lines(text))
    if any(each.hashes for each in found):
        for each in found:
            _check_hashed(each)
    return found


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Each line with its number, without comments; lines that end in a backslash are joined with the next."""
    begun, first = "", 0
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        first = first or number
        continued = line.endswith("\\") and not _COMMENT.match(line)
        begun += _COMMENT.sub("", line.removesuffix("\\") if continued else line)
        if continued:
            continue
        if begun.strip():
            yield first, begun.strip()
        begun, first = "", 0
    if begun.strip():
        yield first, begun.strip()


def _wanted(line: str, number: int) -> Wanted:
    _check_characters(line, number)
    if line.startswith("-"):
        option = re.split(r"[=\s]", line)[0]
        raise _refused(number, f"the option {option!r} is not taken", _option_remedy(option))
    asked, *options = _OPTION.split(line)
    return Wanted(_requirement(asked, number), tuple(_hash(each, number) for each in options))


def _check_characters(line: str, number: int) -> None:
    """Refuse what pip would expand or take for the end of a line."""
    if "${" in line:
        raise _refused(number, "environment variables are not filled in", "Write the value itself, without secrets")
    odd = next((each for each in line if not (each.isascii() and each.isprintable()) and each != "\t"), "")
    if odd:
        raise _refused(number, f"it has the character {odd!a}", "Type the line anew, in plain letters")


def _requirement(text: str, number: int) -> Requirement:
    if _ARCHIVE.search(text) and "@" not in text:
        raise _refused(number, f"{text[:80]!r} is a file, and packages are named", f"Name the package, and {_WHEELS}")
    try:
        found = Requirement(text)
    except InvalidRequirement as error:
        if _PLACE.search(text):
            why = f"{text[:80]!r} is a folder, a file or an address, and only packages of the index are taken"
            raise _refused(number, why, _BY_NAME) from None
        raise _refused(number, str(error).splitlines()[0], _ONE_A_LINE) from None
    return by_name_only(found, f"{REQUIREMENTS}, line {number}")


def by_name_only(found: Requirement, where: str) -> Requirement:
    """The requirement, once it is seen to name a package of an index; raises RejectedError with its place."""
    if found.url:
        why = f"{found.name} is to come from {found.url[:80]!r}, and only packages of the index are taken"
        raise RejectedError(f"{where} is refused", why, _BY_NAME)
    if not is_normalized_name(canonicalize_name(found.name)):
        # packaging lets "a_" pass, which no index has.
        raise RejectedError(f"{where} is refused", f"{found.name[:80]!r} is no package's name", _ONE_A_LINE)
    text = str(found)
    if not (text.isascii() and text.isprintable()) or _PIPS.search(text):
        why = f"its marker is {str(found.marker)[:80]!a}, where pip would read on"
        raise RejectedError(f"{where} is refused", why, _ONE_A_LINE)
    return found


def _hash(option: str, number: int) -> str:
    match = _HASH.fullmatch(option)
    if match:
        return match[1]
    if option.startswith("--hash"):
        remedy = "Write `--hash=sha256:` and 64 lower-case hexadecimal digits"
        raise _refused(number, f"{option[:80]!r} is no digest", remedy)
    name = re.split(r"[=\s]", option)[0]
    raise _refused(number, f"the option {name!r} is not taken", _option_remedy(name))


def _check_hashed(wanted: Wanted) -> None:
    """With one digest in the file, each requirement has one and one version: else a digest protects nothing."""
    pinned = any(each.operator in ("==", "===") and "*" not in each.version for each in wanted.requirement.specifier)
    if not wanted.hashes or not pinned:
        raise RejectedError(
            f"{REQUIREMENTS} names digests for some packages only",
            f"{wanted.requirement.name} has {'no single version' if wanted.hashes else 'none'}",
            "Give each line a version (`==`) and its --hash, also for the packages that these need; "
            "or leave all digests out: the lock written by `lamplight deploy` has them",
        )


def _option_remedy(option: str) -> str:
    if option in ("-r", "--requirement", "-c", "--constraint"):
        return "Copy the lines of that file here"
    if option in ("-e", "--editable"):
        return _BY_NAME
    if option in ("-f", "--find-links"):
        return f"Take the line out, and {_WHEELS}"
    return (
        f'Take the line out, and name the index beside the function, in {places.FILE}: [packages] and `index = "…"`; '
        "or in pip's own configuration (`pip config set`)"
    )


def _refused(number: int, why: str, remedy: str) -> RejectedError:
    return RejectedError(f"{REQUIREMENTS}, line {number} is refused", why, remedy)
