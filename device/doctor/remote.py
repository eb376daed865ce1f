"""The doctor asked for from afar: a call to the agent itself, told by its type, answered with the checks' results.

It runs in a process of its own, so its imports and its crashes leave the agent alone.
"""

import json
import subprocess
import sys
from pathlib import Path

from device.doctor.check import parse
from device.errors import LamplightError
from device.protocol.errors import ProtocolError
from device.protocol.fields import integer, table

CALL = "lamplight.doctor"
"""The type of the call. Its data is `{"time": <the caller's clock, in whole seconds since 1970>}`."""

NAME = "doctor"
"""The last level of the call's topic and of the reply's. A function may have this name too: the type tells."""

# Seconds; each check has a limit of its own, and few boards need a tenth of them all.
PATIENCE = 110.0
_LATEST = 2**40


def answer(config: Path, data: object) -> dict[str, object]:
    """The results of the checks for the board described by `config`; raises LamplightError without any."""
    reference = _reference(data)
    command = [sys.executable, "-P", "-m", "device.doctor", "--json", "--config", str(config)]
    command += [] if reference is None else ["--reference", str(reference)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise LamplightError(f"The doctor was not done within {PATIENCE:g} s") from None
    try:
        found = parse(json.loads(done.stdout).get("checks"), "doctor")
    except (ValueError, AttributeError) as error:
        last = done.stderr.strip().splitlines()[-1:]
        raise LamplightError("The doctor gave no sensible answer", "".join(last) or str(error)) from None
    return {"checks": [each.to_json() for each in found]}


def _reference(data: object) -> int | None:
    if data is None:
        return None
    try:
        return integer(table(data, "doctor"), "time", "doctor", 0, _LATEST)
    except ProtocolError as error:
        raise LamplightError("The doctor was not asked in its form", str(error)) from None
