"""The devices as the shim knows them: silence, stuck deployments, held functions, broken triggers, wrong clocks.

Judgements of the HTTP interface's answers (docs/api.md); only `shim` and `findings` ask for them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cloud_shim.cli import outcome
from cloud_shim.cli.client import Client
from cloud_shim.words import amounts
from device.doctor.check import Finding, fail, ok, skip, warn
from device.doctor.clock import duration
from device.protocol import reported
from device.protocol.reported import HELD

Json = Mapping[str, Any]
# Records looked at for a device's clock, and the seconds of difference that count.
_RECORDS = 20
_CLOSE = 60.0
_CLOCK = "Set the board's clock; `lamplight doctor DEVICE` says more"


def shim(client: Client) -> Finding:
    """The shim answers, and is connected to its broker."""
    told = client.health()
    where = f"{told['broker']['host']}:{told['broker']['port']}"
    if told["broker"]["connected"]:
        return ok(f"it answers at {client.url} and is connected to the broker at {where}")
    return fail(f"it answers at {client.url}, and cannot reach the broker at {where}", "Start the broker")


def shares(client: Client) -> Finding:
    """Whether each device keeps to its share, now and within the last day."""
    return judge_shares(client.health().get("excess"))


def judge_shares(excesses: Sequence[Json] | None) -> Finding:
    """The excesses that the shim tells of; None for a shim that tells of none."""
    if excesses is None:
        return skip("this shim does not tell")
    if not excesses:
        return ok("no device sent more than its share within the last day")
    remedies = dict.fromkeys(str(each["try"]) for each in excesses)
    return warn("; ".join(str(each["told"]) for each in excesses), ". ".join(remedies))


def findings(client: Client, now: float) -> Mapping[str, Finding]:
    """The findings on each device: its presence, deployment, functions, triggers and clock, as "<device>.presence" …"""
    found: dict[str, Finding] = {}
    for device in client.devices():
        name = device["name"]
        found[f"{name}.presence"] = judge_presence(device, now)
        found[f"{name}.deployment"] = judge_deployment(device)
        found[f"{name}.functions"] = judge_functions(device)
        found[f"{name}.triggers"] = judge_triggers(device)
        found[f"{name}.clock"] = judge_clock(client.records(name, limit=_RECORDS))
    return found or {"none": skip("the shim knows no device", "`lamplight up` starts a simulated one")}


def judge_presence(device: Json, now: float) -> Finding:
    """Whether the device is there."""
    told = amounts.presence(device["online"], device["silent"], device["last_seen"], now)
    if device["online"]:
        return ok(told)
    if device["silent"]:
        return fail(
            f"{told}: the broker still takes it to be connected",
            "It and the broker lost each other without a word: look at its power and its network",
        )
    return warn(told, "Look at its power and its network; `python -m device.doctor` on the board says more")


def judge_deployment(device: Json) -> Finding:
    """Whether the device runs the deployment asked for."""
    name, wanted = device["name"], device["desired"]["generation"]
    if not wanted:
        return ok("nothing was deployed to it")
    asked = outcome.judge(dict(device), wanted)
    if asked.good:
        return _failures(device) or ok(f"generation {wanted} runs, as asked for")
    if asked.final:
        reason = asked.reason.splitlines()[0] if asked.reason else "it does not say why"
        return fail(f"generation {wanted} was {asked.state}: {reason}", f"`lamplight status {name}` has the evidence")
    if not device["online"]:
        return warn(f"generation {wanted} waits for it to return", "See why it is away")
    if asked.state == "WAITING":
        return warn(f"generation {wanted} has not been taken up", f"`lamplight doctor {name}` looks from its side")
    return ok(f"generation {wanted} is {asked.state}")


def judge_functions(device: Json) -> Finding:
    """Whether all functions of its deployment could be started, as the device said last."""
    report = reported.known(device["reported"])
    if report is None:
        return skip("the device has not reported yet")
    held = [(name, each) for name, each in sorted(report.functions.items()) if each.state == HELD]
    if not held:
        return ok("all functions could be started")
    told = "; ".join(f"{name} v{each.version} does not run: {each.last_error}" for name, each in held)
    return fail(told, "Correct the cause on the board and restart its agent, or deploy a version that can run there")


def judge_triggers(device: Json) -> Finding:
    """Whether all triggers of its functions deliver, as the device said last."""
    report = reported.known(device["reported"])
    if report is None:
        return skip("the device has not reported yet")
    broken = [(name, each) for name, function in sorted(report.functions.items()) for each in function.triggers]
    if not broken:
        return ok("all triggers deliver")
    told = "; ".join(f"{name}: {each.trigger} does not work: {each.error}" for name, each in broken)
    remedies = dict.fromkeys(each.remedy for _, each in broken if each.remedy)
    return fail(told, ". ".join(remedies) or f"`lamplight logs {device['name']}` says when it began")


def _failures(device: Json) -> Finding | None:
    """A warning of the last failed requests, if any; they are asked for no more."""
    failed: Sequence[Json] = device.get("failed", [])
    if not failed:
        return None
    told = [f"{each['kind']} {each['name']} v{each['version']} was {each['state']}" for each in failed]
    return warn(
        f"{', '.join(told)}; what ran before runs",
        f"`lamplight status {device['name']}` has the reason; correct it and deploy again",
    )


def judge_clock(records: Sequence[Json]) -> Finding:
    """The device's clock against the shim's, by the times in the device's last records.

    Some records had to wait for a connection and arrive late: only the quickest record counts.
    """
    if not records:
        return skip("it has sent nothing that tells its time")
    behind = min(each["received"] - each["time"] for each in records)
    if behind < -_CLOSE:
        return warn(f"{duration(-behind)} ahead of the shim's", _CLOCK)
    if behind > _CLOSE:
        return warn(f"{duration(behind)} behind the shim's, or what it sent last had waited for so long", _CLOCK)
    return ok("it agrees with the shim's")
