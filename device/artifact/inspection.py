"""Has a stranger's artifact looked at in a small, limited, confined process, and judges how that process ended.

For the agent and the shim: neither parses or compiles such bytes itself. The looking is inspector.py's. An answer is
one of three: fine, refused with its fault, or beyond a limit.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from device.artifact import bundle, inspector
from device.errors import BadArtifactError, LamplightError
from device.protocol.errors import ProtocolError
from device.protocol.fields import table, text

# Waiting included: a board of 2012 takes seconds to start Python from its card.
TIMEOUT = 60.0
_MAX_TEXT = 2000
_REPOSITORY = Path(__file__).parents[2]
_ROOM = "Is there enough memory? Linux kills processes when it runs out (`dmesg`); try again"
_REMEDY = "Split its code into smaller files, or put data into files of their own"
# Windows has neither signal.
_TIME, _KILLED = getattr(signal, "SIGXCPU", None), getattr(signal, "SIGKILL", None)


class BeyondLimitError(BadArtifactError):
    """Looking at the artifact took more than a limit."""


@dataclass(frozen=True)
class Found:
    """A good artifact: "function", "model", "layer" or "agent", its name, and its manifest as JSON."""

    kind: str
    name: str
    manifest: str


def inspect(folder: Path) -> Found:
    """What the artifact unpacked in `folder` is; raises BadArtifactError with its fault, or BeyondLimitError."""
    with tempfile.TemporaryFile() as answer:
        status = _run(folder, answer)
        answer.seek(0)
        return _judge(status, answer.read(inspector.MAX_ANSWER + 1))


def _run(folder: Path, answer: IO[bytes]) -> int:
    # -P: neither the artifact's folder nor the working directory is a place to import from.
    command = [sys.executable, "-P", "-m", "device.artifact.inspector", str(folder.resolve()), str(os.getpid())]
    # An empty entry would be the working directory again.
    path = os.pathsep.join([str(_REPOSITORY), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))])
    try:
        return subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        raise _beyond(f"more than {TIMEOUT:g} s") from None


def _judge(status: int, answer: bytes) -> Found:
    if -status == _TIME:
        raise _beyond(f"more than {inspector.CPU_SECONDS} s of processor time")
    if -status == _KILLED:
        raise LamplightError("The artifact was not looked at to its end", "the system killed its checks", _ROOM)
    if status != 0:
        raise BadArtifactError("The artifact cannot be read", f"its checks ended with status {status}", _REMEDY)
    try:
        fields = table(json.loads(answer), "inspection")
        if fields.get("limit") == "memory":
            raise _beyond(f"more than {inspector.MEMORY // 1024**2} MiB of memory")
        if fields.get("unknown") is True:
            raise _unknown()
        if fields.get("ok") is not True:
            # A machine that cannot confine the process says nothing about the artifact.
            kind = LamplightError if fields.get("unlooked") is True else BadArtifactError
            raise kind(*(text(fields, key, "inspection")[:_MAX_TEXT] for key in ("what", "why", "remedy")))
        return Found(*(text(fields, key, "inspection") for key in ("kind", "name", "manifest")))
    except (ValueError, RecursionError, ProtocolError) as error:
        raise BadArtifactError("The artifact cannot be read", f"its checks gave no answer: {error}") from None


def _unknown() -> BadArtifactError:
    kinds = ", ".join(bundle.FILES.values())
    return BadArtifactError("The artifact is neither a function nor a model, nor the agent", f"it has none of {kinds}")


def _beyond(limit: str) -> BeyondLimitError:
    return BeyondLimitError("The artifact is too much to read", f"its checks took {limit}", _REMEDY)
