"""Decides whether a board may use a model, in a process of its own: `python -m device.infer.acceptance DIR [--json]`.

The model is a stranger's bytes in a large C++ library, so the caller never loads it: `accept` starts the process,
bounds its time, and believes only a small verdict. The checks themselves are in checks.py.
"""

import argparse
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from device.die_with_parent import die_with_parent
from device.errors import BadArtifactError, LamplightError, RejectedError
from device.infer import checks, limits
from device.private_memory import keep_memory_private
from device.sandbox import reader

DEFAULT_TIMEOUT = 30.0
# Seconds between two looks at whether the checks are still wanted.
_LOOK = 0.2
_MAX_VERDICT = 64 * 1024
_MAX_TEXT = 300
_REPOSITORY = Path(__file__).parents[2]


class AbandonedError(LamplightError):
    """The checks were given up before their end; nothing is known of the model."""


def accept(folder: Path, timeout: float = DEFAULT_TIMEOUT, abandoned: Callable[[], bool] = lambda: False) -> None:
    """Return when the model in `folder` may be used here; `timeout` in seconds is for all checks together.

    Raises BadArtifactError with the model's fault; one that crashes, hangs or takes too much memory is wrong too, as is
    any model on a board without onnxruntime. AbandonedError once `abandoned`, asked now and then, says so.
    """
    with tempfile.TemporaryFile() as verdict, tempfile.TemporaryFile() as complaints:
        status = _run(folder, timeout, verdict, complaints, abandoned)
        _judge(status, _head(verdict, _MAX_VERDICT), _head(complaints, _MAX_VERDICT))


def _run(folder: Path, timeout: float, verdict: IO[bytes], complaints: IO[bytes], abandoned: Callable[[], bool]) -> int:
    # -P: neither the model's folder nor the working directory is a place to import from.
    command = [sys.executable, "-P", "-m", "device.infer.acceptance", str(folder.resolve()), "--json"]
    # An empty entry would be the working directory again.
    path = os.pathsep.join([str(_REPOSITORY), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))])
    process = subprocess.Popen(
        [*command, "--seconds", str(math.ceil(timeout)), "--parent", str(os.getpid())],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        stdout=verdict,
        stderr=complaints,
    )
    try:
        return _wait(process, timeout, abandoned)
    finally:
        process.kill()
        process.wait()


def _wait(process: "subprocess.Popen[bytes]", timeout: float, abandoned: Callable[[], bool]) -> int:
    end = time.monotonic() + timeout
    while not abandoned():
        try:
            return process.wait(min(_LOOK, max(0.0, end - time.monotonic())))
        except subprocess.TimeoutExpired:
            if time.monotonic() < end:
                continue
        raise BadArtifactError(
            "The model did not finish its checks",
            f"they took more than {timeout:g} s, so it hangs or is far too slow for this board",
            "Run it with onnxruntime on your machine and make it smaller",
        )
    raise AbandonedError("The model's checks were given up", "something newer came")


def _judge(status: int, verdict: bytes, complaints: bytes) -> None:
    try:
        found = json.loads(verdict)
        accepted = found["accepted"]
        texts = [str(found.get(key, ""))[:_MAX_TEXT] for key in ("what", "why", "remedy")]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise _crashed(status, complaints) from None
    if accepted is not True:
        # A machine that cannot confine the process says nothing about the model.
        raise (BadArtifactError if found.get("examined") is not False else LamplightError)(*texts)
    # onnxruntime may still crash while it is being torn down, after the verdict.
    if status != 0:
        raise _crashed(status, complaints)


def _crashed(status: int, complaints: bytes) -> BadArtifactError:
    if status < 0:
        why = f"the process that checked it was ended by {signal.strsignal(-status) or f'signal {-status}'}"
    else:
        last = complaints.decode(errors="replace").strip().splitlines()[-1:]
        why = f"the process that checked it ended with status {status}: {''.join(last)[:_MAX_TEXT]}"
    return BadArtifactError(
        "The model crashed onnxruntime", why, "Export it again, or try another version of onnxruntime on your machine"
    )


def _head(file: IO[bytes], limit: int) -> bytes:
    file.seek(0)
    return file.read(limit)


def main(arguments: list[str] | None = None) -> int:
    """Check one model and print the verdict; 0 when it is accepted, 5 when it is refused."""
    parser = argparse.ArgumentParser(
        prog="python -m device.infer.acceptance", description="Check a model before a board uses it."
    )
    parser.add_argument("folder", type=Path, help="the folder with model.onnx, model.toml and golden.json")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    parser.add_argument("--seconds", type=int, default=math.ceil(DEFAULT_TIMEOUT), help="processor time at most")
    parser.add_argument("--parent", type=int, default=0, help="end together with this process, which made this one")
    given = parser.parse_args(arguments)
    keep_memory_private()
    if given.parent:
        die_with_parent(given.parent)
    limits.bound(given.seconds, _MAX_VERDICT)
    try:
        # Alone, on a developer's machine, the model is the developer's own.
        if given.parent:
            reader.confine(given.folder.resolve())
        found = checks.examine(given.folder)
    except LamplightError as error:
        examined = isinstance(error, RejectedError)
        verdict = {
            "accepted": False,
            "examined": examined,
            "what": error.what,
            "why": error.why,
            "remedy": error.remedy,
        }
        print(json.dumps(verdict) if given.json else f"Not accepted: {error}")  # noqa: T201
        return error.exit_code
    verdict = {"accepted": True, "vectors": found.vectors, "latency": found.latency, "memory": found.memory}
    print(json.dumps(verdict) if given.json else f"Accepted: {found}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
