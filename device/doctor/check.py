"""The form of a check, and how checks are performed. The particular checks are elsewhere."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from device.errors import LamplightError
from device.protocol.errors import ProtocolError
from device.protocol.fields import items, table, text

OK = "ok"
WARN = "warn"
FAIL = "fail"
SKIP = "skip"
STATUSES = (OK, WARN, FAIL, SKIP)
# The time for most checks, in seconds; on a board's slow card they take tenths.
PATIENCE = 10.0


@dataclass(frozen=True)
class Finding:
    """The result of a check: a status, a sentence, and a remedy ("" when all is done)."""

    status: str
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Check:
    """One thing to look at. Its `name` is stable; `run` gives a Finding, or one for each of several parts by name.

    An error raised by `run` is a failed check. `seconds` is how long it may take.
    """

    name: str
    run: Callable[[], "Finding | Mapping[str, Finding]"]
    seconds: float = PATIENCE


@dataclass(frozen=True)
class Result:
    """A Finding with the name of its check."""

    name: str
    status: str
    found: str
    remedy: str

    def to_json(self) -> dict[str, str]:
        """The JSON form."""
        return asdict(self)


def ok(found: str) -> Finding:
    """It is as it should be."""
    return Finding(OK, found)


def warn(found: str, remedy: str) -> Finding:
    """It works, and somebody should look at it."""
    return Finding(WARN, found, remedy)


def fail(found: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(FAIL, found, remedy)


def skip(found: str, remedy: str = "") -> Finding:
    """It cannot be known, or does not apply here."""
    return Finding(SKIP, found, remedy)


def perform(checks: Iterable[Check]) -> Iterator[Result]:
    """Perform one check after the other, and give its results as they come."""
    for check in checks:
        found = _within(check)
        parts = {check.name: found} if isinstance(found, Finding) else _named(check.name, found)
        for name, each in parts.items():
            yield Result(name, each.status, each.found, each.remedy)


def healthy(results: Iterable[Result]) -> bool:
    """Whether no check failed."""
    return all(each.status != FAIL for each in results)


def parse(value: object, where: str) -> list[Result]:
    """The results in a list of their JSON forms; raises ProtocolError for anything else."""
    return [_parse(table(each, where), where) for each in items(value, where)]


def _parse(fields: dict[str, object], where: str) -> Result:
    result = Result(*(text(fields, key, where) for key in ("name", "status", "found", "remedy")))
    if result.status not in STATUSES:
        raise ProtocolError(f"{where}.status: {result.status[:40]!r} is none of {', '.join(STATUSES)}")
    return result


def _named(name: str, parts: Mapping[str, Finding]) -> dict[str, Finding]:
    return {f"{name}.{part}": each for part, each in parts.items()}


def _within(check: Check) -> "Finding | Mapping[str, Finding]":
    """The check's finding, or a failure for taking too long. A hanging check is left behind: its thread ends with the
    process.
    """
    found: list[Finding | Mapping[str, Finding]] = []
    thread = threading.Thread(target=lambda: found.append(_guarded(check)), name=check.name, daemon=True)
    thread.start()
    thread.join(check.seconds)
    if found:
        return found[0]
    return fail(
        f"no answer within {check.seconds:g} s",
        "Look for a disk, a bus or a network that hangs (`dmesg`), then run the doctor again",
    )


def _guarded(check: Check) -> "Finding | Mapping[str, Finding]":
    try:
        return check.run()
    except LamplightError as error:
        return fail(". ".join(part.rstrip(".") for part in (error.what, error.why) if part), error.remedy)
    except Exception as error:
        return fail(f"the check itself failed: {type(error).__name__}: {error}", "Report this with what is told here")
