"""Starts the confined process, waits for its answer within bounds, and ends it with all that it started.

What runs in it is inside.py's; what the answer means is builder.py's.
"""

import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from cloud_shim.cli.release.source.order import MOST_BYTES, Answer, Order, received
from device.errors import LamplightError

SECONDS = 300
_PROGRAM = "cloud_shim.cli.release.source.inside"
_KEPT = 64 * 1024
_LINES = 12
_WIDTH = 160
# An answer's first line, beside the wheel.
_HEAD = 1 << 20
_PASSED_ON = ("PATH", "LANG", "LC_", "TZ")


@dataclass(frozen=True)
class Outcome:
    """The answer, None when there is none; the last lines of the package's output; whether its time was up."""

    answer: Answer | None
    lines: tuple[str, ...]
    late: bool


@dataclass
class _Heard:
    answer: bytearray = field(default_factory=bytearray)
    output: bytearray = field(default_factory=bytearray)
    late: bool = False


def run(do: str, sdist: Path, tools: Path | None) -> Outcome:
    """Have the confined process do this with the source distribution. Raises LamplightError outside Linux."""
    if sys.platform != "linux":
        raise LamplightError(
            "Nothing was built",
            f"{sys.platform} has no sandbox for the package's own code, and it does not run without one",
            "Deploy from Linux, or choose a version with a wheel",
        )
    with tempfile.TemporaryDirectory(prefix="lamplight-build-") as room, sdist.open("rb") as file:
        order = Order(do, sdist.name, os.path.expanduser("~"), room, str(tools) if tools else "")  # noqa: PTH111
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", _PROGRAM, order.text()],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(os.environ),
            start_new_session=True,
        )
        try:
            heard = _hear(process, SECONDS)
        finally:
            # Nobody leaves the group: setsid and setpgid are forbidden inside.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe:
                    pipe.close()
    answer = None if heard.late else received(bytes(heard.answer))
    return Outcome(answer, shown(bytes(heard.output)), heard.late)


def _environment(mine: Mapping[str, str]) -> dict[str, str]:
    """Without the person's variables: they may hold passwords, or name folders to be shown (PYTHONPATH)."""
    return {name: value for name, value in mine.items() if name.startswith(_PASSED_ON)}


def _hear(process: "subprocess.Popen[bytes]", seconds: float) -> _Heard:
    """Read both pipes until the process has answered, has said too much, or its time is up."""
    heard, end = _Heard(), time.monotonic() + seconds
    assert process.stdout and process.stderr, "both are pipes"
    with selectors.DefaultSelector() as ready:
        for pipe in (process.stdout, process.stderr):
            os.set_blocking(pipe.fileno(), False)
            ready.register(pipe, selectors.EVENT_READ)
        while len(heard.answer) <= MOST_BYTES + _HEAD:
            left = end - time.monotonic()
            if left <= 0:
                heard.late = True
                break
            for key, _ in ready.select(left):
                if key.fileobj is process.stderr:
                    if not _drain(process.stderr, heard.output):
                        ready.unregister(process.stderr)
                    del heard.output[:-_KEPT]
                elif not _drain(process.stdout, heard.answer):
                    _drain(process.stderr, heard.output)
                    return heard
    return heard


def _drain(pipe: IO[bytes], into: bytearray) -> bool:
    """Read what is there; whether more may come."""
    try:
        data = os.read(pipe.fileno(), _KEPT)
    except BlockingIOError:
        return True
    into += data
    return bool(data)


def shown(output: bytes) -> tuple[str, ...]:
    """The last lines of a package's output, without signs for the terminal."""
    lines = [_plain(line) for line in output.decode("utf-8", "replace").splitlines()]
    return tuple([line for line in lines if line.strip()][-_LINES:])


def _plain(line: str) -> str:
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line)[:_WIDTH]
