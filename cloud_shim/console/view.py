"""What the templates show of a device: DEVICE of docs/api.md, judged and put into words. Pure.

It tolerates a device that has reported nothing, and does no escaping: the templates do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boards
from cloud_shim.words import amounts, evidence, transfer
from cloud_shim.words.transfer import Transfer

Json = Mapping[str, Any]

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

    `progress` is the share fetched, 0 to 1, or None when nothing is being fetched.
    """

    tone: str
    text: str
    reason: str = ""
    progress: float | None = None


_REVOKED = Update("wait", "Nothing is deployed to it any more; what it runs goes on running there")


@dataclass(frozen=True)
class Row:
    """One function or model: the desired version beside the reported one. A version of 0 means that it is not there."""

    name: str
    desired: int
    reported: int
    state: str = ""
    config: tuple[tuple[str, object], ...] = ()
    errors: int = 0
    restarts: int = 0
    deaths: str = ""
    last_error: str = ""

    @property
    def same(self) -> bool:
        """Whether the device has what is desired."""
        return self.desired == self.reported


@dataclass(frozen=True)
class DeviceView:
    """One device as the pages show it."""

    name: str
    board: str
    simulated: bool
    online: bool
    revoked: bool
    seen: str
    generation: int
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
    """One board that asks to be let in. `notes` are what the person who decides should know besides."""

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
    reported: Json = value["reported"] or {}
    return DeviceView(
        name=value["name"],
        board=value["board"],
        simulated=value["simulated"],
        online=value["online"],
        revoked=value["revoked"],
        seen="revoked" if value["revoked"] else _seen(value, now),
        generation=reported.get("generation", 0),
        update=_REVOKED if value["revoked"] else update(desired.get("generation", 0), reported, value["online"]),
        functions=_rows(desired.get("functions", {}), reported.get("functions", {})),
        models=_rows(desired.get("models", {}), reported.get("models", {})),
        faults=_faults(reported.get("sensors", {})),
        agent=_agent(reported),
        boot=reported.get("boot", ""),
        disk=_disk(reported.get("disk") or {}),
        confinement=tuple((name, _confined(how)) for name, how in reported.get("confinement", {}).items()),
    )


def _seen(value: Json, now: float) -> str:
    return amounts.presence(value["online"], value["silent"], value["last_seen"], now)


def _agent(reported: Json) -> str:
    """The version of the agent, whether it has yet to prove itself, and whether it is in safe mode."""
    runtime: Json = reported.get("runtime") or {}
    told = reported.get("agent", "") + (", on trial" if runtime.get("trial") else "")
    return f"{told}; {runtime['safe']}; the next deployment ends it" if runtime.get("safe") else told


def _disk(told: Json) -> str:
    """Free and used, or "" from an agent that does not tell."""
    if not told:
        return ""
    return f"{amounts.size(told['free'])} free, {amounts.size(told['used'])} used"


def update(desired: int, reported: Json, online: bool) -> Update:
    """How far the device is with generation `desired`, from its own report."""
    if not reported:
        return Update("wait", "The device has reported nothing yet")
    runs: int = reported.get("generation", 0)
    told: Json = reported.get("update") or {}
    number: int = told.get("generation", 0)
    state: str = told.get("state", "IDLE")
    if desired > max(number, runs):
        return _expected(desired, online)
    if state in _FAILED and number >= desired:
        return Update("bad", _FAILED[state].format(n=number, runs=runs), _why(reported, number, told.get("reason", "")))
    if state in _BUSY:
        return _busy(_BUSY[state].format(n=number), transfer.of(told))
    runtime: Json = reported.get("runtime") or {}
    if safe := runtime.get("safe"):
        return Update("bad", "Safe mode: no function runs until the next deployment", safe)
    return _settled(desired, runs, reported)


def _settled(desired: int, runs: int, reported: Json) -> Update:
    why: str | None = reported.get("failed", {}).get(str(desired))
    if why is not None and desired != runs:
        return Update("bad", f"Generation {desired} failed; generation {runs} runs", _why(reported, desired, why))
    if runs == 0:
        return Update("wait", "Nothing is deployed yet")
    return Update("ok", f"Up to date: generation {runs}")


def _why(reported: Json, generation: int, reason: str) -> str:
    return "\n".join([reason, *evidence.lines(reported.get("evidence", {}).get(str(generation), {}))])


def _expected(desired: int, online: bool) -> Update:
    if online:
        return Update("busy", f"Generation {desired} is on its way")
    return Update("wait", f"Generation {desired} waits for the device to return")


def _busy(text: str, fetched: Transfer | None) -> Update:
    return Update("busy", f"{text}: {fetched.text}", progress=fetched.share) if fetched else Update("busy", text)


def _rows(desired: Json, reported: Json) -> tuple[Row, ...]:
    return tuple(_row(name, desired.get(name, {}), reported.get(name, {})) for name in sorted({*desired, *reported}))


def _row(name: str, wanted: Json, has: Json) -> Row:
    return Row(
        name=name,
        desired=wanted.get("version", 0),
        reported=has.get("version", 0),
        state=has.get("state", ""),
        config=_settings(wanted),
        errors=has.get("errors", 0),
        restarts=has.get("restarts", 0),
        deaths=amounts.deaths(has.get("deaths") or {}),
        last_error=has.get("last_error", ""),
    )


def _confined(how: object) -> str:
    return "not confined" if how == "none" else str(how)


def _settings(wanted: Json) -> tuple[tuple[str, Any], ...]:
    config: Json = wanted.get("config") or {}
    return tuple(config.items())


def _faults(sensors: Json) -> tuple[tuple[str, str], ...]:
    return tuple((name, health.get("error", "")) for name, health in sensors.items() if not health.get("ok", True))
