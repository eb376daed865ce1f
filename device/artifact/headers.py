"""One file's header in an archive: plain USTAR with the x bit; before it a PAX record, for a name without room there.

Nothing else of a file travels: no times, owners, links, other modes or records. Names are judged in filenames.py.
"""

import tarfile
from typing import IO

from device.errors import BadArtifactError

BLOCK = 512
PLAIN, EXECUTABLE = 0o644, 0o755
# More than the longest name; a stranger's header may claim any length.
_MAX_RECORD = 4 * BLOCK
_PATH = b"path"


def header(name: str, size: int, executable: bool) -> bytes:
    """The header of a file."""
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = EXECUTABLE if executable else PLAIN
    try:
        return member.tobuf(tarfile.USTAR_FORMAT, "utf-8", "strict")
    except ValueError:
        return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def is_long(name: str) -> bool:
    """Whether the name needs more than a plain header, which agents before 0.2 do not read."""
    return len(header(name, 0, False)) > BLOCK


def read(stream: IO[bytes], block: bytes) -> tuple[tarfile.TarInfo, bytes]:
    """The member whose header begins with `block`, and the whole header; the rest of it is taken from `stream`.

    Raises BadArtifactError for anything but a file or a folder.
    """
    member = _parsed(block)
    if member.type != tarfile.XHDTYPE:
        return _plain(member), block
    if not 0 < member.size <= _MAX_RECORD:
        raise BadArtifactError("The archive is damaged, or is no tar", f"a name's record has {member.size} bytes")
    record = stream.read(-(-member.size // BLOCK) * BLOCK)
    last = stream.read(BLOCK)
    named = _plain(_parsed(last))
    named.name = _name(record[: member.size])
    return named, block + record + last


def _parsed(block: bytes) -> tarfile.TarInfo:
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    except (tarfile.HeaderError, UnicodeDecodeError) as error:
        raise BadArtifactError("The archive is damaged, or is no tar", str(error)) from None


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    if member.type not in (tarfile.REGTYPE, tarfile.DIRTYPE):
        kind = "a link" if member.type in (tarfile.SYMTYPE, tarfile.LNKTYPE) else f"of type {member.type!r}"
        raise BadArtifactError(f"The archive's member {member.name!r} is {kind}", "only plain files are taken")
    if member.size < 0 or (member.isdir() and member.size):
        raise BadArtifactError(f"The archive's member {member.name!r} has an impossible size")
    return member


def _name(record: bytes) -> str:
    """The name in a PAX record, which is to have nothing else (POSIX.1-2001): "LENGTH path=NAME\\n"."""
    length, _, rest = record.partition(b" ")
    key, equals, value = rest.partition(b"=")
    whole = length.isdigit() and len(length) < 6 and int(length) == len(record)
    if not whole or key != _PATH or not equals or not value.endswith(b"\n"):
        raise BadArtifactError("The archive is damaged, or is no tar", "a record says more than a file's name")
    try:
        return value[:-1].decode()
    except UnicodeDecodeError as error:
        raise BadArtifactError("The archive is damaged, or is no tar", str(error)) from None
