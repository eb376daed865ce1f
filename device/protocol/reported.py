"""A device's report of itself: a value composed by the board, and read by the shim and its commands.

`parse` checks every field, for a board may be hostile and its report is shown beside all others. Fields unknown here
pass, so a newer agent can say more. A report also answers two questions on its own: how generations ended (`outcomes`),
and where one of them stands (`standing`). docs/protocol/reported.md describes the fields.
"""

from . import reported_parts as parts
from .errors import ProtocolError
from .fields import flag, items, name, table, text
from .reported_parts import (
    Disk,
    Evidence,
    Fields,
    Platform,
    ReportedAgent,
    ReportedFunction,
    ReportedModel,
    ReportedOutput,
    ReportedSensor,
    ReportedUpdate,
    Value,
)

FORMAT = 1
# The final states of an update. The last two are failures.
FINAL = COMMITTED, REVERTED, REJECTED = ("COMMITTED", "REVERTED", "REJECTED")
FAILED = (REVERTED, REJECTED)
# The state of a function unable to start on this board now; `last_error` says why.
HELD = "held"
# Where a generation stands before the device's first word of it, and after a newer one overtook it.
WAITING = "WAITING"
SUPERSEDED = "SUPERSEDED"

_WHERE = "reported"
_COUNTS = ("events", "errors")


class Standing(Value):
    """Where a generation stands: a state of an update, WAITING or SUPERSEDED; with the reason and its evidence."""

    def __init__(self, state: str, reason: str = "", evidence: Evidence | None = None) -> None:
        self.state = state
        self.reason = reason
        self.evidence = evidence or Evidence({})


class Reported(Value):
    """The state of a device, in its own words.

    `generation` runs, and `previous` is the one to fall back to (0: none). `failed` maps generations with a failed
    trial to the reason, and `evidence` the latest of them to the grounds. `confinement` says by aspect how a worker is
    confined. `ai`: the board runs models; `patches`: it applies patches. `outputs` has every output held by a function,
    by the name of its pin. `libraries` are the versions in use by the agent. `withdrawn` is how many withdrawals of
    releases it knows. `runtimes` are the kinds of handlers it calls (cloud.py). `archive` is the newest form of
    archives it unpacks. An agent of an earlier release may leave out `disk`, `platform`, `libraries`, `outputs`,
    `withdrawn`, `runtimes` or `archive`, which is then 1.
    """

    def __init__(
        self,
        *,
        board: str,
        agent: ReportedAgent,
        boot: str,
        generation: int,
        previous: int,
        update: ReportedUpdate,
        functions: dict[str, ReportedFunction],
        models: dict[str, ReportedModel],
        sensors: dict[str, ReportedSensor],
        failed: dict[int, str],
        evidence: dict[int, Evidence],
        confinement: dict[str, str],
        ai: bool,
        patches: bool = False,
        disk: Disk | None = None,
        platform: Platform | None = None,
        libraries: dict[str, str] | None = None,
        outputs: dict[str, ReportedOutput] | None = None,
        withdrawn: int | None = None,
        runtimes: tuple[str, ...] = (),
        archive: int = 1,
    ) -> None:
        self.board = board
        self.agent = agent
        self.boot = boot
        self.generation = generation
        self.previous = previous
        self.update = update
        self.functions = functions
        self.models = models
        self.sensors = sensors
        self.failed = failed
        self.evidence = evidence
        self.confinement = confinement
        self.ai = ai
        self.patches = patches
        self.disk = disk
        self.platform = platform
        self.libraries = libraries or {}
        self.outputs = outputs
        self.withdrawn = withdrawn
        self.runtimes = runtimes
        self.archive = archive

    def outcomes(self) -> list[tuple[int, str]]:
        """How generations ended, the running one first: it is committed, unless it is on trial."""
        update = self.update
        ended = [(update.generation, update.state)] if update.state in FINAL else []
        on_trial = update.state == "TRIAL" and update.generation == self.generation
        return ended if on_trial else [(self.generation, COMMITTED), *ended]

    def standing(self, generation: int) -> Standing:
        """Where `generation` stands on the device."""
        update = self.update
        if update.generation == generation and update.state != "IDLE":
            return Standing(update.state, update.reason, self.evidence.get(generation))
        if generation in self.failed:
            return Standing(REVERTED, self.failed[generation], self.evidence.get(generation))
        if self.generation == generation:
            return Standing(COMMITTED)
        return Standing(SUPERSEDED if max(update.generation, self.generation) > generation else WAITING)

    def steady(self) -> Fields:
        """The JSON form without its ever-changing parts: the counters, the disk, and the outputs' levels."""
        functions = {n: _without(each.to_json(), _COUNTS) for n, each in self.functions.items()}
        return {**_without(self.to_json(), ("disk", "outputs")), "functions": functions}

    def to_json(self) -> Fields:
        """The JSON form; `parse` is its inverse."""
        fields: Fields = {
            "format": FORMAT,
            "board": self.board,
            "agent": self.agent.version,
            "runtime": self.agent.to_json(),
            "boot": self.boot,
            "generation": self.generation,
            "previous": self.previous,
            "update": self.update.to_json(),
            "functions": {n: each.to_json() for n, each in self.functions.items()},
            "models": {n: each.to_json() for n, each in self.models.items()},
            "sensors": {n: each.to_json() for n, each in self.sensors.items()},
            "failed": {str(generation): reason for generation, reason in self.failed.items()},
            "evidence": {str(generation): each.to_json() for generation, each in self.evidence.items()},
            "confinement": dict(self.confinement),
            "ai": self.ai,
            "patches": self.patches,
        }
        if self.archive != 1:
            fields["archive"] = self.archive
        if self.outputs is not None:
            fields["outputs"] = {pin: each.to_json() for pin, each in self.outputs.items()}
        if self.withdrawn is not None:
            fields["withdrawn"] = self.withdrawn
        if self.runtimes:
            fields["runtimes"] = list(self.runtimes)
        optional = {"disk": self.disk, "platform": self.platform}
        libraries: Fields = {"libraries": dict(self.libraries)} if self.libraries else {}
        return {**fields, **{key: each.to_json() for key, each in optional.items() if each}, **libraries}


def parse(value: object) -> Reported:
    """The report in its JSON form; raises ProtocolError when a required field is missing, or has another form."""
    report = table(value, _WHERE)
    return Reported(
        board=text(report, "board", _WHERE),
        agent=parts.agent(report),
        boot=text(report, "boot", _WHERE),
        generation=parts.count(report, "generation", _WHERE),
        previous=parts.count(report, "previous", _WHERE),
        update=parts.update(report.get("update")),
        functions={n: parts.function(each, where) for n, each, where in _parts(report, "functions")},
        models={n: parts.model(each, where) for n, each, where in _parts(report, "models")},
        sensors={n: parts.sensor(each, where) for n, each, where in _parts(report, "sensors")},
        failed={_number(n, f"{_WHERE}.failed"): why for n, why in _texts(report, "failed").items()},
        evidence=_evidence(table(report.get("evidence", {}), f"{_WHERE}.evidence")),
        confinement=_texts(report, "confinement"),
        ai=flag(report, "ai", _WHERE),
        patches=flag(report, "patches", _WHERE, False),
        disk=parts.disk(report.get("disk")),
        platform=parts.platform(report.get("platform")),
        libraries=_texts(report, "libraries") if "libraries" in report else {},
        outputs=_outputs(report),
        withdrawn=parts.count(report, "withdrawn", _WHERE) if "withdrawn" in report else None,
        runtimes=_names(report, "runtimes"),
        archive=parts.count(report, "archive", _WHERE, 1),
    )


def known(value: object) -> Reported | None:
    """The report in `value`, as a DEVICE of the API has it; None before the device's first report.

    A shim of an earlier release kept reports unchecked. One of another form counts as missing: the device's next report
    takes its place.
    """
    try:
        return None if value is None else parse(value)
    except ProtocolError:
        return None


def _outputs(report: Fields) -> dict[str, ReportedOutput] | None:
    if "outputs" not in report:
        return None
    return {pin: parts.output(each, where) for pin, each, where in _parts(report, "outputs")}


def _evidence(told: Fields) -> dict[int, Evidence]:
    return {_number(generation, f"{_WHERE}.evidence"): parts.evidence(each) for generation, each in told.items()}


def _parts(report: Fields, key: str) -> list[tuple[str, Fields, str]]:
    """Name, table and path of each function, model or sensor."""
    where = f"{_WHERE}.{key}"
    told = table(report.get(key), where)
    return [(name(each, where), table(told[each], where), f"{where}.{each}") for each in told]


def _texts(report: Fields, key: str) -> dict[str, str]:
    where = f"{_WHERE}.{key}"
    told = table(report.get(key), where)
    return {each: text(told, each, where) for each in told}


def _names(report: Fields, key: str) -> tuple[str, ...]:
    where = f"{_WHERE}.{key}"
    return tuple(name(each, where) for each in items(report.get(key, []), where))


def _number(key: str, where: str) -> int:
    if not (key.isascii() and key.isdigit() and len(key) <= 19):
        raise ProtocolError(f"{where}: {key[:40]!r} is no generation's number")
    return int(key)


def _without(fields: Fields, keys: tuple[str, ...]) -> Fields:
    return {key: value for key, value in fields.items() if key not in keys}
