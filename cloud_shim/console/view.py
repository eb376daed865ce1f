"""The device as the templates show it: DEVICE of docs/api.md, judged and put into words. Pure.

It tolerates a device before its first report. Escaping is done by the templates.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import boards
from cloud_shim.console import wiring
from cloud_shim.words import amounts, evidence, outputs, transfer, troubles
from cloud_shim.words.transfer import Transfer
from device.protocol import reported
from device.protocol.reported import (
    HELD,
    Disk,
    Reported,
    ReportedAgent,
    ReportedFunction,
    ReportedModel,
    ReportedSensor,
)

Json = Mapping[str, Any]
_P = TypeVar("_P", ReportedFunction, ReportedModel)

_FAILED = {
    "REVERTED": "Generation {n} was reverted; generation {runs} runs again",
    "REJECTED": "Generation {n} was rejected; nothing was changed",
}
_BUSY = {
    "VERIFIED": "Generation {n} is signed as it should be; preparing",
    "FETCHING": "Fetching generation {n}",
    "STAGED": "Checking generation {n} beside the running one",
    "TRIAL": "Generation {n} is on trial",
}


@dataclass(frozen=True)
class Update:
    """The state of a device's update. `tone` is "ok", "busy", "wait" or "bad"; `reason` is the device's own words.

    `progress` is the share fetched, 0 to 1, or None outside of a download.
    """

    tone: str
    text: str
    reason: str = ""
    progress: float | None = None


_REVOKED = Update("wait", "Nothing is deployed to it any more; what it runs goes on running there")


@dataclass(frozen=True)
class Row:
    """One function or model: the desired version beside the reported one. Version 0 means that it is not there.

    `bad`: it does not run, or does not hear of everything. `troubles` are lines for its present faults.
    """

    name: str
    desired: int
    reported: int
    state: str = ""
    config: tuple[tuple[str, str], ...] = ()
    errors: int = 0
    restarts: int = 0
    deaths: str = ""
    bad: bool = False
    troubles: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether the device has the desired version."""
        return self.desired == self.reported


@dataclass(frozen=True)
class BoardView:
    """One of several boards that claim the device's name; the `chosen` one is the device.

    `fingerprints` are of the passwords of its own that it has shown, `named` is the name that it is to have.
    """

    hardware: str
    chosen: bool
    first: str
    last: str
    fingerprints: tuple[str, ...]
    named: str


@dataclass(frozen=True)
class DeviceView:
    """One device as the pages show it."""

    name: str
    board: str
    simulated: bool
    online: bool
    revoked: bool
    seen: str
    boards: tuple[BoardView, ...]
    generation: int
    by: str
    light: bool
    pins: tuple[wiring.Part, ...]
    sensors: tuple[wiring.Part, ...]
    outputs: tuple[tuple[str, bool | None], ...]
    update: Update
    functions: tuple[Row, ...]
    models: tuple[Row, ...]
    faults: tuple[tuple[str, str], ...]
    agent: str
    boot: str
    disk: str
    confinement: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ClaimView:
    """One board that asks to be let in. `notes` are further facts for the person to decide by."""

    name: str
    board: str
    serial: str
    fingerprint: str
    seen: str
    acceptable: bool
    notes: tuple[str, ...]


def claim(value: Json, now: float) -> ClaimView:
    """The view of CLAIM `value` at `now`. One for a taken name, or of an unknown board, has no button for it."""
    notes = [value["reason"]] if value["reason"] else []
    notes += ["Another board asks for this name too: compare the fingerprint."] if value["twice"] else []
    if value["taken"]:
        replace = f"lamplight devices accept {value['fingerprint']} --again"
        notes.append(f"There is a device of this name. `{replace}` puts this board in its place.")
    return ClaimView(
        name=value["name"],
        board=value["board"],
        serial=value["serial"] or "unknown",
        fingerprint=value["fingerprint"],
        seen=amounts.ago(value["last"], now),
        acceptable=not value["taken"] and value["board"] in boards.names(),
        notes=tuple(notes),
    )


def device(value: Json, now: float) -> DeviceView:
    """The view of DEVICE `value` at `now`, in seconds since 1970."""
    desired: Json = value["desired"]
    report = reported.known(value["reported"])
    return DeviceView(
        name=value["name"],
        board=value["board"],
        simulated=value["simulated"],
        online=value["online"],
        revoked=value["revoked"],
        seen="revoked" if value["revoked"] else _seen(value, now),
        boards=tuple(_board(each, now) for each in value["boards"]),
        generation=report.generation if report else 0,
        by=desired.get("by", ""),
        light=wiring.has_light(value["board"], report),
        pins=wiring.pins(value["board"], report),
        sensors=wiring.sensors(value["board"], report),
        outputs=tuple(outputs.levels(report).items()),
        update=_REVOKED
        if value["revoked"]
        else _after(value, update(desired.get("generation", 0), report, value["online"])),
        functions=_rows(desired.get("functions", {}), report.functions if report else {}, _function),
        models=_rows(desired.get("models", {}), report.models if report else {}, _model),
        faults=_faults(report.sensors if report else {}),
        agent=_agent(report.agent) if report else "",
        boot=report.boot if report else "",
        disk=_disk(report.disk if report else None),
        confinement=_confinement(report.confinement if report else {}),
    )


def _board(value: Json, now: float) -> BoardView:
    first, last = (amounts.ago(value[moment], now) for moment in ("first", "last"))
    return BoardView(value["hardware"], value["chosen"], first, last, tuple(value["fingerprints"]), value["named"])


def _seen(value: Json, now: float) -> str:
    return amounts.presence(value["online"], value["silent"], value["last_seen"], now)


def _agent(agent: ReportedAgent) -> str:
    """The version of the agent, whether it has yet to prove itself, and whether it is in safe mode."""
    told = f"{agent.version}, on trial" if agent.trial else agent.version
    return f"{told}; {agent.safe}; the next deployment ends it" if agent.safe else told


def _disk(told: Disk | None) -> str:
    """Free and used, or "" for an agent that tells neither."""
    return f"{amounts.size(told.free)} free, {amounts.size(told.used)} used" if told else ""


def update(desired: int, report: Reported | None, online: bool) -> Update:
    """How far the device is with generation `desired`, from its own report."""
    if report is None:
        return Update("wait", "The device has reported nothing yet")
    runs, told = report.generation, report.update
    if desired > max(told.generation, runs):
        return _expected(desired, online)
    if told.state in _FAILED and told.generation >= desired:
        heading = _FAILED[told.state].format(n=told.generation, runs=runs)
        return Update("bad", heading, _why(report, told.generation, told.reason))
    if told.state in _BUSY:
        return _busy(_BUSY[told.state].format(n=told.generation), transfer.of(told))
    if report.agent.safe:
        return Update("bad", "Safe mode: no function runs until the next deployment", report.agent.safe)
    settled = _settled(desired, report)
    # The present state of an absent device is unknown.
    return settled if online or settled.tone != "ok" else Update("wait", f"Last known: generation {runs}")


def _after(value: Json, now: Update) -> Update:
    """The last failure taken back, once nothing else is going on."""
    failed: list[Json] = value.get("failed", [])
    if not failed or now.tone not in ("ok", "wait"):
        return now
    last = failed[-1]
    release = f"{last['name']} v{last['version']}" if last["version"] else f"The removal of {last['name']}"
    what = f"{release} failed in generation {last['generation']}; what ran before runs"
    return Update("bad", what, last["reason"])


def _settled(desired: int, report: Reported) -> Update:
    runs, why = report.generation, report.failed.get(desired)
    if why is not None and desired != runs:
        return Update("bad", f"Generation {desired} failed; generation {runs} runs", _why(report, desired, why))
    if runs == 0:
        return Update("wait", "Nothing is deployed yet")
    return Update("ok", f"Up to date: generation {runs}")


def _why(report: Reported, generation: int, reason: str) -> str:
    rests_on = report.evidence.get(generation)
    return "\n".join([reason, *(evidence.lines(rests_on) if rests_on else ())])


def _expected(desired: int, online: bool) -> Update:
    if online:
        return Update("busy", f"Generation {desired} is on its way")
    return Update("wait", f"Generation {desired} waits for the device to return")


def _busy(text: str, fetched: Transfer | None) -> Update:
    return Update("busy", f"{text}: {fetched.text}", progress=fetched.share) if fetched else Update("busy", text)


def _rows(desired: Json, runs: Mapping[str, _P], show: Callable[[Row, _P], Row]) -> tuple[Row, ...]:
    """A row for each function (or model) that is desired or there; `show` adds the device's own facts."""
    rows: list[Row] = []
    for name in sorted({*desired, *runs}):
        wanted, has = desired.get(name, {}), runs.get(name)
        row = Row(name, wanted.get("version", 0), has.version if has else 0, config=_settings(wanted))
        rows.append(show(row, has) if has else row)
    return tuple(rows)


def _function(row: Row, has: ReportedFunction) -> Row:
    now = troubles.of_function(has)
    # The last error of a held function is the reason for that, and is told as such.
    past = [has.last_error] if has.last_error and has.state != HELD else []
    return replace(
        row,
        state=has.state,
        errors=has.errors,
        restarts=has.restarts,
        deaths=amounts.deaths(has.deaths),
        bad=bool(now),
        troubles=(*now, *past),
    )


def _model(row: Row, has: ReportedModel) -> Row:
    return row


def _confinement(aspects: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, "not confined" if how == "none" else how) for name, how in aspects.items())


def _settings(wanted: Json) -> tuple[tuple[str, str], ...]:
    """Each setting with its value as JSON, in the letters that a person wrote."""
    config: Json = wanted.get("config") or {}
    return tuple((key, json.dumps(value, ensure_ascii=False)) for key, value in config.items())


def _faults(sensors: Mapping[str, ReportedSensor]) -> tuple[tuple[str, str], ...]:
    return tuple((name, health.error) for name, health in sensors.items() if not health.ok)
