"""The accounts that a worker sees in a root of its own: the system's, and the function's own under its name. Pure text.

Without its own, `pwd.getpwuid(os.getuid())` is a KeyError: the user of a function has no name on the board.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from device.sandbox.paths import Shown

# passwd(5) and group(5). The accounts of people are above, and are no concern of a function.
_FIRST_PERSON = 1000
PASSWD, GROUP = "/etc/passwd", "/etc/group"


@dataclass(frozen=True)
class Account:
    """A function's user and group on this board, with its name and home."""

    user: int
    group: int
    name: str
    home: str

    def files(self) -> Mapping[str, str]:
        """The texts of /etc/passwd and /etc/group."""
        return {
            PASSWD: passwd(self, _text(PASSWD)),
            GROUP: _with(f"{self.name}:x:{self.group}:", self.group, _text(GROUP)),
        }


def left_out(shown: tuple[Shown, ...]) -> tuple[Shown, ...]:
    """`shown` without the board's own files of accounts."""
    return tuple(each for each in shown if str(each[0]) not in (PASSWD, GROUP))


def passwd(account: Account, system: str) -> str:
    """The lines of `system` that are no person's, with the account's own."""
    own = f"{account.name}:x:{account.user}:{account.group}:a function:{account.home}:/bin/sh"
    return _with(own, account.user, system)


def _with(own: str, number: int, system: str) -> str:
    name = own.partition(":")[0]
    kept = [line for line in system.splitlines() if _is_system(line, number, name)]
    return "\n".join([own, *kept, ""])


def _is_system(line: str, taken: int, name: str) -> bool:
    fields = line.split(":")
    if len(fields) < 4 or not fields[2].isdecimal() or fields[0] == name:
        return False
    return int(fields[2]) < _FIRST_PERSON and int(fields[2]) != taken


def _text(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
