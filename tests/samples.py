"""What a device says, as docs/protocol/ has it: a report, and a record of each kind; and what the API says of one.

Each call gives new ones.
"""

from typing import Any

from device.protocol import reported
from device.protocol.reported import Reported

Sample = dict[str, Any]

_COUNTS = {"events": 3, "errors": 0, "timeouts": 0, "crashes": 3, "memory": 0, "runs": 0, "slow": 0}
_WHO = {"function": "night-light", "version": 3}
_EVENT = {
    "event": "night-light-7",
    "trigger": "lamplight.sensor.reading",
    "given": {"source": "/home/pi/1-9f3a61c2/sensor", "time": 1000.0, "subject": "light", "data": {"lux": 12.5}},
    "reads": [["sensor", "light", [12.5, False]]],
}


def device(name: str, desired: Sample, reported: Sample | None) -> Sample:
    """A DEVICE of the API (docs/api.md)."""
    return {
        "name": name,
        "board": "lamplight/simulated",
        "simulated": True,
        "online": True,
        "silent": False,
        "last_seen": 1.0,
        "revoked": False,
        "password_until": None,
        "boards": [],
        "desired": desired,
        "failed": [],
        "continued": {},
        "reported": reported,
    }


def log(seq: int = 1, **fields: Any) -> Sample:
    """A line of a log."""
    return {
        "seq": seq,
        "time": 1.5,
        "kind": "log",
        "function": "",
        "version": 0,
        "level": "info",
        "text": "x",
        **fields,
    }


def records() -> list[Sample]:
    """One of each kind."""
    told: list[Sample] = [
        {"kind": "reading", "sensor": "light", "lux": 12.5, "saturated": False},
        {"kind": "decision", **_WHO, **_EVENT, "lux": 12.5, "pins": {"led": True}, "result": {"mean": 1}, "ms": 0.4},
        {"kind": "failure", **_WHO, **_EVENT, "error": "ValueError: no"},
        {"kind": "log", **_WHO, "level": "warning", "text": "it is dark"},
        {"kind": "update", "generation": 8, "state": "REVERTED", "reason": "crashed", "evidence": {"kind": "boot"}},
        {"kind": "worker", **_WHO, "what": "crashed", "detail": "left with exit status 3"},
        {"kind": "sensor", "sensor": "light", "ok": False, "error": "no answer"},
        {"kind": "dropped", "stream": "telemetry", "count": 7},
        {"kind": "publish", **_WHO, "topic": "rooms/hall", "data": {"lit": True}},
        {"kind": "output", "pin": "led", "function": "night-light", "level": True, "before": None, "changes": 1},
    ]
    return [{"seq": seq, "time": 1000.5, **each} for seq, each in enumerate(told, 1)]


def agent(**fields: Any) -> Sample:
    """What a report says of the agent."""
    return {"version": "0.2.0", "sha256": "", "trial": False, "previous": "0.1.0", "lost": "", "safe": "", **fields}


def report(**fields: Any) -> Sample:
    """A report, after a generation that failed its trial."""
    return {
        "format": 1,
        "board": "lamplight/simulated",
        "agent": "0.2.0",
        "runtime": agent(),
        "boot": "1-9f3a61c2",
        "generation": 7,
        "previous": 6,
        "update": {
            "generation": 8,
            "state": "REVERTED",
            "reason": "night-light: crashed 3 times",
            "bytes": 10,
            "total": 10,
            "whole": 20,
            "rate": 5,
            "part": "functions/night-light",
        },
        "functions": {
            "night-light": {
                "version": 3,
                "sha256": "0" * 64,
                "state": "running",
                "restarts": 1,
                "events": 120,
                "errors": 2,
                "deaths": {"SIGSEGV": 1},
                "last_error": "ValueError: no",
            }
        },
        "models": {"presence": {"version": 1, "sha256": "1" * 64}},
        "sensors": {"light": {"ok": True, "error": ""}},
        "outputs": {"led": {"function": "night-light", "level": True, "since": 1000.5}},
        "failed": {"8": "night-light: crashed 3 times"},
        "evidence": {
            "8": {
                "kind": "crashes",
                "function": "night-light",
                "seconds": 1.5,
                "now": dict(_COUNTS),
                "before": dict(_COUNTS),
                "last_error": "ValueError: no",
            }
        },
        "confinement": {"memory": "rlimit for each process", "cpu share": "none"},
        "disk": {"free": 12_884_901_888, "used": 1_048_576},
        "ai": True,
        "patches": True,
        "platform": {"machine": "aarch64", "python": "3.11", "glibc": 36},
        "libraries": {"tuf": "6.0"},
        "runtimes": ["python3", "aws-lambda", "tencent-scf"],
        **fields,
    }


def reported_value(**fields: Any) -> Reported:
    """The same, as the shim reads it."""
    return reported.parse(report(**fields))
