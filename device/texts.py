"""Text written by a person, as editors of all systems store it: UTF-8 with or without a mark, or UTF-16 with one.

Windows' editors put a byte order mark before UTF-8; its PowerShell writes UTF-16. Line ends are left as they are: TOML,
Python and pip take each kind.
"""

import codecs
from pathlib import Path


def decoded(data: bytes) -> str:
    """The text; raises UnicodeDecodeError for any other encoding."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    return data.decode("utf-8-sig")


def read(path: Path) -> str:
    """The text in a file; raises OSError or UnicodeDecodeError."""
    return decoded(path.read_bytes())
