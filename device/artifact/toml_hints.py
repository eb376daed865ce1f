"""Hints for a refused function.toml, or another TOML file: the word probably meant, and the line of the fault. Pure.

The fault itself is found by protocol/manifest.py. It has no line numbers, for it must fit on a small chip.
"""

import difflib
import re

from device.protocol.errors import ProtocolError

_PATH = re.compile(r"[\w-]+\.toml\.([A-Za-z0-9_.-]+): ")
_WORD = re.compile(r"'([^']*)'(?: is unknown)?; known are (.*)")
_QUOTED = re.compile(r": .*?'([^']+)'")
# Keys of the file itself, often written below a table by mistake: there they belong to the table.
_TOP = (
    "network",
    "timeout",
    "memory",
    "sensors",
    "models",
    "instances",
    "queue",
    "overflow",
    "cpu",
    "handler",
    "name",
    "runtime",
)


def told(error: ProtocolError, text: str) -> str:
    """The error's own words, with the line in `text` and the word probably meant."""
    said = str(error)
    hint = _meant(error) or _word(said)
    path = _PATH.match(said)
    quoted = _QUOTED.search(said)
    key = error.key or (path.group(1).rpartition(".")[2] if path else "")
    line = _line(text, key, quoted.group(1) if quoted else "")
    place = f" (line {line})" if line else ""
    return f"{said}{place}{f'. {hint}' if hint else ''}"


def _meant(error: ProtocolError) -> str:
    if not error.key:
        return ""
    near = difflib.get_close_matches(error.key.lower().replace("-", "_"), error.known, 1)
    if near:
        return f"Did you mean {near[0]!r}?"
    if error.key in _TOP and error.where.startswith("function.toml."):
        return f"{error.key!r} is the function's: write it above the first line with a table, such as [[triggers]]"
    return ""


def _word(said: str) -> str:
    found = _WORD.search(said)
    near = difflib.get_close_matches(found.group(1), found.group(2).split(", "), 1) if found else []
    return f"Did you mean {near[0]!r}?" if near else ""


def _line(text: str, key: str, word: str) -> int:
    """The line with a value for `key`, or with the head of its table; 0 for none.

    Of several it is the first with `word` in it, or else the first.
    """
    word_of_key = rf"""["']?{re.escape(key)}["']?"""
    named = re.compile(rf"""\s*(?:{word_of_key}\s*[=.]|\[+\s*(?:[^\]]*\.\s*)?{word_of_key}\s*[\].])""")
    numbered = enumerate(text.splitlines(), 1)
    found = [(word not in line, number) for number, line in numbered if key and named.match(line)]
    return min(found)[1] if found else 0
