"""A board as package installers see it: the platform tags of its wheels, and the answers to its environment markers.

All of it follows from the board's own report or its file, and nothing from this machine. Choosing is wheels.py's.
"""

import re
from dataclasses import dataclass

from packaging.markers import Marker

from device.errors import OfflineError, RejectedError
from device.protocol.reported import Reported

# The oldest glibc of today's wheels (PEP 599), and the names for older ones.
_OLDEST_GLIBC = 5
_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
# A processor by its name in wheels; it becomes a part of a file's name.
_MACHINE = re.compile(r"[A-Za-z0-9_]{1,32}", re.ASCII)
_PATCH = re.compile(r"3\.[0-9]{1,3}\.[0-9]{1,3}", re.ASCII)
_UNKNOWN = "It is not known which wheels this board takes"


@dataclass(frozen=True)
class Platform:
    """A board as wheels see it: "aarch64", (3, 11), the minor version of its glibc 2, and the whole of its Python.

    `full` is such as "3.11.2"; "" when the board has not said it.
    """

    machine: str
    python: tuple[int, int]
    glibc: int
    full: str = ""

    def tags(self) -> list[str]:
        """The platform tags of wheels fit for the board, the most specific first (PEP 600)."""
        tags = [f"manylinux_2_{minor}_{self.machine}" for minor in range(self.glibc, _OLDEST_GLIBC - 1, -1)]
        legacy = [f"{name}_{self.machine}" for minor, name in _LEGACY.items() if minor <= self.glibc]
        return [*tags, *legacy, f"linux_{self.machine}"]

    def version(self) -> str:
        """Its Python, such as "3.11"."""
        return f"{self.python[0]}.{self.python[1]}"

    def whole(self) -> str:
        """Its Python with the last number. Unknown, it is the first: packages for older ones are then brought along."""
        return self.full or f"{self.version()}.0"

    def kind(self, models: bool) -> str:
        """A name for all boards that take the same wheels, but for their glibc: "aarch64-py311-models"."""
        return f"{self.machine}-py{self.version().replace('.', '')}{'-models' if models else ''}"

    def environment(self) -> dict[str, str]:
        """The value of each environment marker there (PEP 508); the kernel's version is not known."""
        return {
            "implementation_name": "cpython",
            "implementation_version": self.whole(),
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": self.whole(),
            "python_version": self.version(),
            "sys_platform": "linux",
        }

    def takes(self, marker: Marker | None, extra: str = "") -> bool:
        """Whether a requirement with this marker counts on the board."""
        return marker is None or marker.evaluate({**self.environment(), "extra": extra})

    def __str__(self) -> str:
        """For a person."""
        return f"{self.machine} with Python {self.version()}"


def reported(report: Reported | None) -> Platform:
    """The platform in a device's report.

    Raises OfflineError before the first report, RejectedError when its Python's version or its processor is unreadable.
    """
    told = report.platform if report else None
    if told is None:
        raise OfflineError(_UNKNOWN, "it has not reported yet", "Try again when it is online")
    if not re.fullmatch(r"3\.[0-9]{1,3}", told.python, re.ASCII):
        raise RejectedError(_UNKNOWN, f"its Python is {told.python[:40]!r}")
    if not _MACHINE.fullmatch(told.machine):
        raise RejectedError(_UNKNOWN, f"its processor is {told.machine[:40]!r}")
    full = told.full if _PATCH.fullmatch(told.full) and told.full.startswith(f"{told.python}.") else ""
    return Platform(told.machine, (3, int(told.python[2:])), told.glibc, full)


def described(tag: str, python: str, architecture: str) -> Platform:
    """The platform of a board known by its file: the newest tag it takes, such as "manylinux_2_36_aarch64"."""
    _, _, newest, _ = tag.split("_", 3)
    major, _, minor = python.partition(".")
    return Platform(architecture, (int(major), int(minor)), int(newest))
