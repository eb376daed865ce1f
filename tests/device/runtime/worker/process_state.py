"""The state of a Python process that its code can see, and how it differs from that of a fresh interpreter.

It runs inside a worker (test_fresh.py), and takes the same picture of both, in the same surroundings.
"""

import json
import locale
import os
import signal
import subprocess
import sys
import types


def differences() -> dict[str, list[object]]:
    """By name of a setting or "module.name": its value here, and in a fresh interpreter with the same modules."""
    names = sorted(name for name in sys.modules if name.partition(".")[0] in sys.stdlib_module_names)
    here = _picture(names)
    asked = [sys.executable, __file__]
    said = subprocess.run(asked, input=json.dumps(names), capture_output=True, text=True, check=True).stdout
    fresh: dict[str, object] = json.loads(said)
    every = sorted({*here, *fresh})
    return {name: [here.get(name), fresh.get(name)] for name in every if here.get(name) != fresh.get(name)}


def _picture(names: list[str]) -> dict[str, object]:
    import logging
    import threading

    told: dict[str, object] = {
        "arguments": len(sys.argv),
        "locale": locale.setlocale(locale.LC_ALL),
        "umask": os.umask(0o22),
        "threads": threading.active_count(),
        "recursion": sys.getrecursionlimit(),
        "loggers": {name: each.level for name, each in _loggers(logging.Logger.manager.loggerDict)},
    }
    told |= {f"signal {each.name}": str(signal.getsignal(each)) for each in signal.Signals}
    names = [name for name in names if name != "__main__"]
    for name in names:
        __import__(name)
    for name in names:
        told |= {f"{name}.{key}": shown for key, each in vars(sys.modules[name]).items() if (shown := _shown(each))}
    return told


def _loggers(known: dict[str, object]) -> list[tuple[str, "types.ModuleType"]]:
    import logging

    # The agent's own modules have loggers, with no handler and no level.
    given = {
        name: each for name, each in known.items() if not f"{name}.".startswith("device.") or getattr(each, "level", 0)
    }
    return [(name, each) for name, each in given.items() if isinstance(each, logging.Logger)]


def _shown(value: object) -> str:
    """A simple value, or the length of a container; "" for all others."""
    if isinstance(value, bool | int | float | str | types.NoneType):
        return repr(value)[:200]
    if isinstance(value, dict | list | set | tuple):
        return f"{type(value).__name__} of {len(value)}"
    return ""


if __name__ == "__main__":
    print(json.dumps(_picture(json.load(sys.stdin))))
