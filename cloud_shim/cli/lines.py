"""A record (docs/protocol/records.md) as one line for people, and small phrases shared by several commands.

Pure: it takes the decoded record and gives pieces of text with styles. Their place is the caller's choice.
"""

import time
from typing import Any

from cloud_shim.cli.terminal import Line, harmless
from device.protocol.withdrawn import Withdrawal

_LEVELS = {"debug": "dim", "info": "", "warning": "yellow", "error": "red"}
_UPDATES = {"COMMITTED": "green", "REVERTED": "red", "REJECTED": "red"}


def record(of: dict[str, Any]) -> Line:
    """The line for one RECORD, whatever its kind."""
    clock = time.strftime("%H:%M:%S", time.localtime(of["time"])) + f".{int(of['time'] * 10) % 10}"
    show = _KINDS.get(of["kind"], _other)
    return [(f"{clock}  ", "dim"), *((printable(text), style) for text, style in show(of))]


def release(name: str, version: int | None) -> str:
    """A function or model and its release, as people write it: "night-light v3"; "agent" for the device itself."""
    if not name:
        return "agent"
    return f"{name} v{version}" if version else name


def withdrawal(of: Withdrawal) -> str:
    """The releases that a withdrawal names: "night-light v3 and each older one"."""
    return f"{release(of.name, of.version)}{' and each older one' if of.older else ''}"


def _decision(of: dict[str, Any]) -> Line:
    lux = of.get("lux")
    light = "" if lux is None else f"{lux:.1f} lux"
    line: list[tuple[str, str]] = [(f"{light:>12}  ", "")]
    for pin, level in sorted(of["pins"].items()):
        line += [("● " if level else "○ ", "bold yellow" if level else "dim"), (f"{pin}  ", "")]
    line.append((release(of["function"], of["version"]), "cyan"))
    if of.get("result") is not None:
        line.append((f"  → {of['result']}", ""))
    return line


def _failure(of: dict[str, Any]) -> Line:
    return [
        (f"{release(of['function'], of['version'])}  ", "cyan"),
        (f"failed at {of['event']}{_after(of['error'])}", "red"),
    ]


def _reading(of: dict[str, Any]) -> Line:
    return [(f"{of['lux']:>8.1f} lux", ""), ("  saturated" if of.get("saturated") else "", "yellow")]


def _log(of: dict[str, Any]) -> Line:
    level = of["level"]
    style, event = _LEVELS.get(level, ""), of.get("event", "")
    # The report of a failed event begins with its id.
    end = f"  {event}" if event and not of["text"].startswith(event) else ""
    return [
        (f"{release(of['function'], of.get('version'))}  ", "cyan"),
        (f"{level}  {of['text']}", style),
        (end, "dim"),
    ]


def _update(of: dict[str, Any]) -> Line:
    style = _UPDATES.get(of["state"], "bold")
    return [("update  ", "cyan"), (f"generation {of['generation']} {of['state']}", style), (_after(of["reason"]), "")]


def _worker(of: dict[str, Any]) -> Line:
    calm = of["what"] in ("started", "stopped")
    told = f"{of['what']}{_after(of['detail'])}"
    return [(f"{release(of['function'], of['version'])}  ", "cyan"), (told, "" if calm else "red")]


def _sensor(of: dict[str, Any]) -> Line:
    told = "works again" if of["ok"] else f"cannot be read{_after(of['error'])}"
    return [(f"sensor {of['sensor']}  ", "cyan"), (told, "" if of["ok"] else "red")]


def _output(of: dict[str, Any]) -> Line:
    on = of["level"]
    told = "unknown" if on is None else "on" if on else "off"
    flicker = f", after {of['changes']} changes" if of["changes"] > 1 else ""
    style = "bold yellow" if on else "dim"
    return [("● " if on else "○ ", style), (f"{of['pin']} {told}{flicker}", style), (f"  {of['function']}", "cyan")]


def _publish(of: dict[str, Any]) -> Line:
    return [(f"{release(of['function'], of['version'])}  ", "cyan"), (f"published to {of['topic']}: {of['data']}", "")]


def _other(of: dict[str, Any]) -> Line:
    known = ("id", "device", "stream", "boot", "seq", "time", "received", "kind")
    return [(f"{of['kind']}  ", "cyan"), (", ".join(f"{k}={v}" for k, v in of.items() if k not in known), "")]


def _after(text: str) -> str:
    return f": {text}" if text else ""


def printable(text: str) -> str:
    """The text in one line, its control characters removed."""
    return harmless(text.replace("\n", "  ").replace("\t", " "))


_KINDS = {
    "decision": _decision,
    "failure": _failure,
    "reading": _reading,
    "log": _log,
    "update": _update,
    "worker": _worker,
    "sensor": _sensor,
    "publish": _publish,
    "output": _output,
}
