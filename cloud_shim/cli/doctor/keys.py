"""The signing keys and their signatures: the keys are there and parse; the signatures are good for long enough."""

import json
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from device.doctor.check import Finding, fail, ok, skip, warn
from device.doctor.clock import duration
from device.doctor.keys import expiry, judge_root
from device.protocol.errors import ProtocolError
from device.protocol.fields import items, table, text

_SOON = 10 * 86400.0
_ROLES = ("timestamp", "snapshot", "targets")


def readable(folder: Path) -> Finding:
    """The private keys in the folder."""
    found = sorted(folder.glob("*.pem"))
    if not found:
        return skip(f"there are no keys in {folder}")
    for path in found:
        try:
            load_pem_private_key(path.read_bytes(), None)
        except (ValueError, TypeError, OSError) as error:
            return fail(f"{path.name} is no key: {error}", "Restore it from a copy: nothing can be signed without it")
    return ok(f"{', '.join(path.stem for path in found)}")


def signed(path: Path, now: float) -> Mapping[str, Finding]:
    """A repository's file, as Signing keeps it: its newest root, if any, and the roles signed again and again."""
    if not path.exists():
        return {path.stem: skip(f"{path} is not there: nothing was signed yet")}
    try:
        fields = table(json.loads(path.read_bytes()), path.name)
        roots, ends = _roots(fields, path.name), _ends(fields, path.name)
    except (ValueError, OSError) as error:
        return {path.stem: fail(f"{path} is damaged: {error}", "Stop the shim and restore it from a copy")}
    told = {"root": judge_root(expiry(roots[-1]), now)} if roots else {}
    return {**told, **({"roles": judge_roles(ends, now)} if ends else {})}


def signed_for_device(path: Path, now: float) -> Finding:
    """One device's file: its director's metadata, signed for its deployment."""
    try:
        director = table(table(json.loads(path.read_bytes()), path.name).get("director"), path.name)
        return judge_roles(_ends(director, path.name), now)
    except (ValueError, OSError) as error:
        return fail(f"{path} is damaged: {error}", "Stop the shim and restore it from a copy")


def judge_roles(ends: Mapping[str, float], now: float) -> Finding:
    """When the first of the roles ends; the shim or a developer's machine signs them anew."""
    first = min(ends, key=lambda each: ends[each])
    remedy = (
        "Start the shim: it signs anew when it starts, and every day. What it has no key for, "
        "`lamplight keys renew` signs, on the machine that took the keys"
    )
    if ends[first] <= now:
        return warn(f"{first} has ended: devices refuse it", remedy)
    # The shim's roles last 30 days and are renewed after 15.
    if ends[first] - now < _SOON:
        return warn(f"{first} ends in {duration(ends[first] - now)}", remedy)
    return ok(f"the first to end is {first}, in {duration(ends[first] - now)}")


def _roots(fields: dict[str, object], where: str) -> list[str]:
    return [text({"root": each}, "root", where) for each in items(fields.get("root", []), where)]


def _ends(fields: dict[str, object], where: str) -> dict[str, float]:
    delegated = table(fields.get("delegated", {}), where)
    texts = {role: text(fields, role, where) for role in _ROLES if role in fields}
    texts |= {role: text(delegated, role, where) for role in delegated}
    ends: dict[str, float] = {}
    for role, each in texts.items():
        try:
            ends[role] = expiry(each)
        except ProtocolError as error:
            raise ProtocolError(f"{where}.{role}: {error}") from None
    return ends
