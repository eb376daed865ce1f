"""The parts of a device's report (reported.py), each as a value, its JSON form, and its checking reader.

Each reader raises ProtocolError for a part with a missing field, or of another form.
"""

from .errors import ProtocolError
from .fields import flag, integer, items, number, table, text
from .records import check_time

Fields = dict[str, object]

_MOST = 2**53
_EVIDENCE = "reported.evidence"


class Value:
    """Compared by its attributes."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.__dict__})"


class ReportedUpdate(Value):
    """The device's present update, or its last.

    `bytes` of `total` are stored, at present `rate` bytes a second, for artifacts of `whole` bytes: patches make
    `total` less than `whole`. `part` is the function or model to blame for a failure, as "functions/lamp", if one is
    known.
    """

    def __init__(
        self,
        generation: int,
        state: str,
        reason: str,
        bytes: int,
        total: int,
        whole: int = 0,
        rate: int = 0,
        part: str = "",
    ) -> None:
        self.generation = generation
        self.state = state
        self.reason = reason
        self.bytes = bytes
        self.total = total
        self.whole = whole
        self.rate = rate
        self.part = part

    def to_json(self) -> Fields:
        """The JSON form."""
        return dict(self.__dict__)


class ReportedFunction(Value):
    """One function of the device.

    `errors` counts every way to fail; `deaths` says how often its workers ended, by kind. `triggers` are those out of
    service now; an agent of an earlier release leaves them out.
    """

    def __init__(
        self,
        version: int,
        digest: str,
        state: str,
        restarts: int,
        events: int,
        errors: int,
        deaths: dict[str, int],
        last_error: str,
        triggers: "list[ReportedTrigger] | None" = None,
    ) -> None:
        self.version = version
        self.digest = digest
        self.state = state
        self.restarts = restarts
        self.events = events
        self.errors = errors
        self.deaths = deaths
        self.last_error = last_error
        self.triggers = triggers or []

    def to_json(self) -> Fields:
        """The JSON form; its name is the key there."""
        fields: Fields = {
            "version": self.version,
            "sha256": self.digest,
            "state": self.state,
            "restarts": self.restarts,
            "events": self.events,
            "errors": self.errors,
            "deaths": dict(self.deaths),
            "last_error": self.last_error,
        }
        return {**fields, "triggers": [each.to_json() for each in self.triggers]} if self.triggers else fields


class ReportedTrigger(Value):
    """A trigger out of service now, by its type and subject ("http /lamp"): why, and the remedy."""

    def __init__(self, trigger: str, error: str, remedy: str) -> None:
        self.trigger = trigger
        self.error = error
        self.remedy = remedy

    def to_json(self) -> Fields:
        """The JSON form."""
        return {"trigger": self.trigger, "error": self.error, "remedy": self.remedy}


class ReportedModel(Value):
    """One model of the device."""

    def __init__(self, version: int, digest: str) -> None:
        self.version = version
        self.digest = digest

    def to_json(self) -> Fields:
        """The JSON form; its name is the key there."""
        return {"version": self.version, "sha256": self.digest}


class ReportedSensor(Value):
    """Whether the last reading of a sensor succeeded, and if not, why."""

    def __init__(self, ok: bool, error: str) -> None:
        self.ok = ok
        self.error = error

    def to_json(self) -> Fields:
        """The JSON form; its name is the key there."""
        return {"ok": self.ok, "error": self.error}


class ReportedOutput(Value):
    """An output held for `function`: its `level` since `since`, in seconds since 1970.

    A level of None: the device is unsure of it.
    """

    def __init__(self, function: str, level: bool | None, since: float) -> None:
        self.function = function
        self.level = level
        self.since = since

    def to_json(self) -> Fields:
        """The JSON form; its name is the key there."""
        return {"function": self.function, "level": self.level, "since": self.since}


class ReportedAgent(Value):
    """The running agent: its version, the digest of its artifact ("" when it is built in), whether it is on trial.

    `previous` is the version kept to go back to ("" for none). `lost` says why this is another agent than the proven
    one ("": it is the proven one), `safe` why it starts no functions ("": it does).
    """

    def __init__(
        self, version: str, digest: str = "", trial: bool = False, previous: str = "", lost: str = "", safe: str = ""
    ) -> None:
        self.version = version
        self.digest = digest
        self.trial = trial
        self.previous = previous
        self.lost = lost
        self.safe = safe

    def to_json(self) -> Fields:
        """The JSON form, at `runtime` in a report."""
        return {
            "version": self.version,
            "sha256": self.digest,
            "trial": self.trial,
            "previous": self.previous,
            "lost": self.lost,
            "safe": self.safe,
        }


class Disk(Value):
    """Bytes `free` on the disk of the agent's files, and bytes `used` by them."""

    def __init__(self, free: int, used: int) -> None:
        self.free = free
        self.used = used

    def to_json(self) -> Fields:
        """The JSON form."""
        return {"free": self.free, "used": self.used}


class Platform(Value):
    """The board's platform, to choose wheels by: as "aarch64", "3.11" and the minor version of glibc 2 (0: none).

    `full` is the whole version of its Python, such as "3.11.2"; "" from an agent before 0.2.
    """

    def __init__(self, machine: str, python: str, glibc: int, full: str = "") -> None:
        self.machine = machine
        self.python = python
        self.glibc = glibc
        self.full = full

    def to_json(self) -> Fields:
        """The JSON form."""
        told: Fields = {"machine": self.machine, "python": self.python, "glibc": self.glibc}
        return {**told, "full": self.full} if self.full else told


class Evidence(Value):
    """The grounds of the verdict on a failed trial. A device may tell all of it, a part, or none.

    `fields` is all it told, in JSON form. `now` counts for the new version and `before` for the old one.
    """

    def __init__(self, fields: Fields) -> None:
        self.fields = fields

    @property
    def seconds(self) -> float | None:
        """How long the trial had lasted."""
        return number(self.fields, "seconds", _EVIDENCE) if "seconds" in self.fields else None

    @property
    def function(self) -> str:
        """The failed function; "" when no function failed."""
        told = self.fields.get("function")
        return told if isinstance(told, str) else ""

    @property
    def last_error(self) -> str:
        """The end of the last error; "" for none."""
        return text(self.fields, "last_error", _EVIDENCE, "")

    @property
    def now(self) -> dict[str, int]:
        """The counts of the new version by what they count; empty when there are none."""
        return _counts(self.fields.get("now", {}), f"{_EVIDENCE}.now")

    @property
    def before(self) -> dict[str, int]:
        """The same of the old version."""
        return _counts(self.fields.get("before", {}), f"{_EVIDENCE}.before")

    def to_json(self) -> Fields:
        """The JSON form."""
        return dict(self.fields)


def agent(report: Fields) -> ReportedAgent:
    """The agent in the whole `report`: before `runtime` there was only its version."""
    version, where = text(report, "agent", "reported"), "reported.runtime"
    if not report.get("runtime"):
        return ReportedAgent(version)
    told = table(report["runtime"], where)
    return ReportedAgent(
        version=text(told, "version", where),
        digest=text(told, "sha256", where),
        trial=flag(told, "trial", where),
        previous=text(told, "previous", where),
        lost=text(told, "lost", where),
        # From agents with a safe mode.
        safe=text(told, "safe", where, ""),
    )


def update(value: object) -> ReportedUpdate:
    """The update in its JSON form."""
    where = "reported.update"
    told = table(value, where)
    return ReportedUpdate(
        generation=count(told, "generation", where),
        state=text(told, "state", where),
        reason=text(told, "reason", where),
        bytes=count(told, "bytes", where),
        total=count(told, "total", where),
        whole=count(told, "whole", where, 0),
        rate=count(told, "rate", where, 0),
        part=text(told, "part", where, ""),
    )


def function(told: Fields, where: str) -> ReportedFunction:
    """The function in its JSON form, found at `where`."""
    return ReportedFunction(
        version=count(told, "version", where),
        digest=text(told, "sha256", where, ""),
        state=text(told, "state", where),
        restarts=count(told, "restarts", where),
        events=count(told, "events", where),
        errors=count(told, "errors", where),
        deaths=_counts(told.get("deaths", {}), f"{where}.deaths"),
        last_error=text(told, "last_error", where),
        triggers=_triggers(told.get("triggers", []), f"{where}.triggers"),
    )


def _triggers(value: object, where: str) -> "list[ReportedTrigger]":
    told = [table(each, where) for each in items(value, where)]
    keys = ("trigger", "error", "remedy")
    return [ReportedTrigger(*(text(each, key, where) for key in keys)) for each in told]


def model(told: Fields, where: str) -> ReportedModel:
    """The model in its JSON form, found at `where`."""
    return ReportedModel(count(told, "version", where), text(told, "sha256", where, ""))


def sensor(told: Fields, where: str) -> ReportedSensor:
    """The sensor in its JSON form, found at `where`."""
    return ReportedSensor(flag(told, "ok", where), text(told, "error", where))


def output(told: Fields, where: str) -> ReportedOutput:
    """The output in its JSON form, found at `where`."""
    check_time(told, where, "since")
    level = None if told.get("level") is None else flag(told, "level", where)
    return ReportedOutput(text(told, "function", where), level, number(told, "since", where))


def evidence(value: object) -> Evidence:
    """The evidence of one verdict in its JSON form."""
    read = Evidence(table(value, _EVIDENCE))
    if read.seconds is not None and not 0 <= read.seconds <= _MOST:
        raise ProtocolError(f"{_EVIDENCE}.seconds: is no duration")
    # Each attribute checks its field.
    _ = read.last_error, read.now, read.before
    return read


def disk(value: object) -> Disk | None:
    """The disk in its JSON form; None when the report leaves it out."""
    if not value:
        return None
    where = "reported.disk"
    told = table(value, where)
    return Disk(count(told, "free", where), count(told, "used", where))


def platform(value: object) -> Platform | None:
    """The platform in its JSON form; None when the report leaves it out."""
    if not value:
        return None
    where = "reported.platform"
    told = table(value, where)
    full = text(told, "full", where) if "full" in told else ""
    return Platform(text(told, "machine", where), text(told, "python", where), count(told, "glibc", where), full)


def count(told: Fields, key: str, where: str, default: int | None = None) -> int:
    """The count at `key`."""
    return integer(told, key, where, 0, _MOST, default)


def _counts(value: object, where: str) -> dict[str, int]:
    told = table(value, where)
    return {each: count(told, each, where) for each in told}
