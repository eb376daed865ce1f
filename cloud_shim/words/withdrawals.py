"""The withdrawn releases for people, from the shim's answers: notices, and a line for one device. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from device.protocol import reported

Json = Mapping[str, Any]
# So many names of devices are told; a fleet may have thousands.
_NAMED = 5


def notices(devices: Sequence[Json]) -> list[str]:
    """The withdrawn releases still asked for, and the devices that do not know all withdrawals; of these DEVICEs."""
    asked: dict[tuple[str, int, str], list[str]] = {}
    for device in devices:
        for each in device.get("withdrawn", []):
            asked.setdefault((each["name"], each["version"], each["because"]), []).append(device["name"])
    told = [
        f"{name} v{version} was withdrawn ({because}) and is still asked for on {_some(names)}; deploy another version"
        for (name, version, because), names in sorted(asked.items())
    ]
    behind, unable = ([each["name"] for each in devices if lacks(each) == what] for what in ("news", "agent"))
    told += [f"{_some(behind)}: not told of each withdrawal yet"] if behind else []
    told += [f"{_some(unable)}: the agent is too old to heed withdrawals; `lamplight upgrade`"] if unable else []
    return told


def lacks(device: Json) -> str:
    """What keeps the DEVICE from heeding all withdrawals: "news", "agent" for an old one; "" when it knows them all."""
    report = reported.known(device["reported"])
    total = device.get("withdrawals", 0)
    if report is None or device["revoked"] or not total:
        return ""
    if report.withdrawn is None:
        return "agent"
    return "news" if report.withdrawn < total else ""


def of_device(device: Json) -> list[str]:
    """A line for each withdrawn release asked for on the DEVICE, and for what it lacks to heed them."""
    lines = [f"{each['name']} v{each['version']}: {each['because']}" for each in device.get("withdrawn", [])]
    lacking = lacks(device)
    lines += ["it has not been told of each withdrawal yet"] if lacking == "news" else []
    lines += ["its agent is too old to heed withdrawals: `lamplight upgrade`"] if lacking == "agent" else []
    return lines


def _some(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else ""
    return ", ".join(ordered[:_NAMED]) + more
