"""Writes the measured table into docs/performance.md, between two markers; the rest of the page is left alone."""

import os
import platform
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

from tests.bench import table
from tests.bench.figures import Figure

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
_BEGIN = "<!-- figures: written by `python -m tests.bench --write-docs` -->"
_END = "<!-- end of figures -->"


def write(figures: Sequence[Figure], page: Path = PAGE) -> None:
    """Put `figures`, the date and the machine into `page`; ValueError when its markers are not there."""
    before, begin, rest = page.read_text().partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{page} has lost its markers {_BEGIN} and {_END}")
    measured = f"Measured on {date.today().isoformat()}: {machine()}."
    page.write_text(f"{before}{begin}\n{measured}\n\n{table.markdown(figures)}\n{end}{after}")


def machine() -> str:
    """What it was measured on, in one line."""
    parts = (
        f"{os.cpu_count()} processors ({_processor()})",
        f"{_system()}, Linux {platform.release()}",
        f"Python {platform.python_version()}",
        *(f"{name} {version(name)}" for name in ("paho-mqtt", "onnxruntime")),
    )
    return ", ".join(parts)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _system() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
