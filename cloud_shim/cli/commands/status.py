"""`lamplight status [DEVICE]`: the functions and models it runs, the ones asked for, and how its parts fare."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from cloud_shim.cli import outcome
from cloud_shim.cli.lines import printable
from cloud_shim.cli.options import Options, choose_device, command, warn
from cloud_shim.words import amounts, evidence, outputs, troubles, withdrawals
from device.protocol import reported
from device.protocol.deployment import AGENT
from device.protocol.reported import (
    HELD,
    Evidence,
    ReportedAgent,
    ReportedFunction,
    ReportedModel,
    ReportedOutput,
    ReportedSensor,
)

Row = tuple[str, str]
Desired = Mapping[str, Any]
_P = TypeVar("_P", ReportedFunction, ReportedModel)
_ON_ITS_WAY = {"VERIFIED": "believed", "FETCHING": "being fetched", "STAGED": "being checked", "TRIAL": "on trial"}


@command("status")
@click.argument("device", default="")
def run(options: Options, device: str) -> None:
    """Show how DEVICE, or the only one, fares: its functions, models and sensors, and the deployment asked for."""
    found = options.client.device(choose_device(options.client, device))
    options.terminal.table(found, rows(found, time.time()))
    warn(options)


def rows(device: dict[str, Any], now: float) -> list[Row]:
    """A heading and a text, of one or more lines, for each thing to know about one DEVICE."""
    report, desired = reported.known(device["reported"]), device["desired"]
    told = [(device["name"], _presence(device, now))]
    if report is None:
        return [*told, ("generation", f"{desired['generation']} is asked for; the device has not reported yet")]
    asked = outcome.judge(device, desired["generation"])
    told.append(("generation", _generation(device, report.generation, asked)))
    failed = _failures(device.get("failed", []), report.evidence)
    if withdrawn := withdrawals.of_device(device):
        told.append(("withdrawn", "\n".join(withdrawn)))
    told += _parts("function", report.functions, desired["functions"], failed, _function)
    told += _parts("model", report.models, desired["models"], failed, _model)
    told += [(f"sensor {name}", _sensor(each)) for name, each in report.sensors.items()]
    told += [(f"output {pin}", _output(each, now)) for pin, each in (report.outputs or {}).items()]
    if disk := report.disk:
        told.append(("disk", f"{amounts.size(disk.free)} free, {amounts.size(disk.used)} used by Lamplight"))
    told.append(("agent", _agent(report.agent, desired, failed.get(("agent", AGENT), ""))))
    told.append(("confinement", _confinement(report.confinement)))
    if safe := report.agent.safe:
        told.insert(
            1, ("safe mode", f"{safe}\nthe next deployment ends it: `lamplight deploy` or `lamplight rollback`")
        )
    return [(heading, "\n".join(map(printable, text.splitlines()))) for heading, text in told]


def _presence(device: dict[str, Any], now: float) -> str:
    presence = amounts.presence(device["online"], device["silent"], device["last_seen"], now)
    told = f"{'revoked' if device['revoked'] else presence}, {device['board']}"
    if device["password_until"] is not None and device["password_until"] <= now:
        told += "\nits password has ended; it gets a new one when it connects"
    if device["silent"]:
        told += "\nthe broker does not know that it is gone: `lamplight doctor` says more"
    lost = not device["online"] and device["last_seen"] is not None and device["reported"]
    return f"{told}\nwhat follows is what it said then" if lost else told


def _generation(device: dict[str, Any], running: int, asked: outcome.Outcome) -> str:
    wanted = device["desired"]["generation"]
    if asked.good:
        by = device["desired"].get("by")
        return f"{running}, as asked for{f' by {by}' if by else ''}"
    if asked.final:
        return "\n".join(
            [f"{running} runs; generation {wanted} was {asked.state}:", asked.reason, *evidence.lines(asked.evidence)]
        )
    if asked.state in _ON_ITS_WAY:
        progress = f", {asked.transfer.share:.0%} so far: {asked.transfer.text}" if asked.transfer else ""
        return f"{running} runs; generation {wanted} is {_ON_ITS_WAY[asked.state]}{progress}"
    when = "has not been taken up yet" if device["online"] else "will be applied when it is back"
    return f"{running} runs; generation {wanted} {when}"


def _failures(failed: list[dict[str, Any]], grounds: Mapping[int, Evidence]) -> dict[tuple[str, str], str]:
    """The last failed requests, by kind and name; they are asked for no more."""
    told: dict[tuple[str, str], str] = {}
    for each in failed:
        what = f"v{each['version']} was {each['state']}" if each["version"] else f"its removal was {each['state']}"
        lines = [f"{what} in generation {each['generation']}: {each['reason']}"]
        lines += evidence.lines(grounds.get(each["generation"], Evidence({})))
        told[each["kind"], each["name"]] = "\n".join(lines)
    return told


def _parts(
    kind: str,
    runs: Mapping[str, _P],
    wanted: Desired,
    failed: Mapping[tuple[str, str], str],
    show: Callable[[_P, Desired], str],
) -> list[Row]:
    """One row for each function (or model): running, asked for, or failed."""
    names = sorted({*runs, *wanted, *(name for each, name in failed if each == kind)})
    return [
        (f"{kind} {name}", _part(runs.get(name), wanted.get(name), failed.get((kind, name)), show)) for name in names
    ]


def _part(runs: _P | None, wanted: Desired | None, failed: str | None, show: Callable[[_P, Desired], str]) -> str:
    if runs is None and wanted is None:
        return f"{failed}\nit does not run"
    told = _present(runs, wanted, show)
    return f"{told}\n{failed}" if failed else told


def _present(runs: _P | None, wanted: Desired | None, show: Callable[[_P, Desired], str]) -> str:
    asked = f"v{wanted['version']} is asked for" if wanted else "it is to be removed"
    if runs is None:
        return f"{asked}; it does not run"
    told = show(runs, wanted or {})
    return told if wanted and runs.version == wanted["version"] else f"{told}\n{asked}"


def _function(runs: ReportedFunction, wanted: Desired) -> str:
    counts = [amounts.counted(runs.events, "event"), amounts.counted(runs.errors, "error")]
    counts += [amounts.counted(runs.restarts, "restart")] if runs.restarts else []
    died = amounts.deaths(runs.deaths)
    counts += [died] if died else []
    troubles_now = troubles.of_function(runs)
    if runs.state == HELD:
        told = [f"v{runs.version} {troubles_now[0]}", *troubles_now[1:]]
    else:
        told = [f"v{runs.version} {runs.state}, {', '.join(counts)}", *troubles_now]
    if wanted.get("config"):
        told.append("set: " + ", ".join(f"{key}={value}" for key, value in wanted["config"].items()))
    if runs.last_error and runs.state != HELD:
        told.append(f"last error: {runs.last_error}")
    return "\n".join(told)


def _model(runs: ReportedModel, _: Desired) -> str:
    return f"v{runs.version}"


def _agent(agent: ReportedAgent, desired: Desired, failed: str) -> str:
    """The running version, the one before it, any trouble, another version asked for, and `failed`."""
    told = agent.version
    if agent.trial:
        told += ", on trial"
    if agent.previous:
        told += f", {agent.previous} before"
    if agent.lost:
        told += f"\n{agent.lost}"
    wanted: Desired = desired.get("agent") or {"sha256": ""}
    if wanted["sha256"] != agent.digest:
        release = f"release v{wanted['version']}" if wanted["sha256"] else "the built-in one"
        told += f"\n{release} is asked for"
    return f"{told}\n{failed}" if failed else told


def _sensor(told: ReportedSensor) -> str:
    return "works" if told.ok else f"cannot be read: {told.error}"


def _output(told: ReportedOutput, now: float) -> str:
    return f"{outputs.WORDS[told.level]}, driven by {told.function}; since {amounts.ago(told.since, now)}"


def _confinement(aspects: Mapping[str, str]) -> str:
    """The means of confining a worker, and the missing ones."""
    there = [f"{aspect}: {how}" for aspect, how in aspects.items() if how != "none"]
    missing = [aspect for aspect, how in aspects.items() if how == "none"]
    told = "; ".join(there) or "nothing"
    return f"{told}\nnot confined: {', '.join(missing)}" if missing else told
