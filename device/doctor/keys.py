"""Signed metadata: is it there, does it parse, and for how long is it good. Verifying signatures is verify.py's."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from device.doctor.check import Finding, fail, ok, skip, warn
from device.doctor.clock import duration, when
from device.doctor.credentials import unreadable
from device.protocol.errors import ProtocolError
from device.protocol.fields import table, text

_DAY = 86_400.0
# Roots last ten years, and a new one must reach every board before the old one ends.
_ROOT_SOON = 90 * _DAY
_NEW_ROOT = "Sign a new root and deploy, which carries it; a board whose roots have all ended is provisioned again"


def expiry(metadata: str) -> float:
    """When a TUF metadata file's text expires, in seconds since 1970; raises ProtocolError for any other text."""
    try:
        signed = table(table(json.loads(metadata), "metadata").get("signed"), "metadata.signed")
        return datetime.fromisoformat(text(signed, "expires", "metadata.signed")).timestamp()
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"metadata: {error}") from None


def root(path: Path, now: float) -> Finding:
    """A root of trust in a file of its own, at `now`."""
    if lost := unreadable(path):
        return lost
    try:
        return judge_root(expiry(path.read_text()), now)
    except (ProtocolError, UnicodeDecodeError) as error:
        return fail(f"{path} is no root: {error}", "Provision the board again, which writes it")


def judge_root(end: float, now: float) -> Finding:
    """How long a root is still good."""
    if end <= now:
        return fail(f"it ended at {when(end)}: nothing new can be installed", _NEW_ROOT)
    told = f"good for {duration(end - now)}"
    return warn(told, _NEW_ROOT) if end - now < _ROOT_SOON else ok(told)


def judge_roles(ends: Mapping[str, float], now: float) -> Finding:
    """How long the regularly signed roles are still good, by their names."""
    if not ends:
        return skip("no deployment was believed yet")
    first = min(ends, key=lambda each: ends[each])
    if ends[first] <= now:
        return warn(
            f"{first} ended at {when(ends[first])}. What runs goes on running; the next deployment brings new ones",
            "The shim signs anew every day: look at why nothing of it arrives, and at the board's clock",
        )
    return ok(f"the first to end is {first}, in {duration(ends[first] - now)}")


def trusted(path: Path, now: float) -> Mapping[str, Finding]:
    """The metadata trusted by the board so far."""
    if not path.exists():
        return {"roles": skip("no deployment was believed yet")}
    try:
        texts = table(json.loads(path.read_bytes()), "trusted")
        files = {name: text(texts, name, "trusted") for name in texts if name.endswith(".json")}
        ends = {name.removesuffix(".json"): expiry(each) for name, each in files.items() if "/" in name}
    except (ValueError, OSError) as error:
        return {
            "roles": fail(f"{path} is damaged: {error}", "Nothing is to be done: the next deployment writes it anew")
        }
    roles = {name: end for name, end in ends.items() if not _is_root(name)}
    roots = {name: max(_of(ends, name)) for name in ("director", "image") if _of(ends, name)}
    return {"roles": judge_roles(roles, now), **{f"{name}-root": judge_root(end, now) for name, end in roots.items()}}


def _is_root(name: str) -> bool:
    return name.endswith("root") or "/root_history/" in name


def _of(ends: Mapping[str, float], repository: str) -> list[float]:
    """When the roots of one repository end; the newest one counts."""
    return [end for name, end in ends.items() if name.startswith(f"{repository}/") and _is_root(name)]
