"""Reads an OSV record (ossf.github.io/osv-schema): its packages of PyPI and their affected versions.

Other ecosystems' packages are left out, and so are ranges of commits.
"""

from collections.abc import Iterator, Sequence

from packaging.version import Version

from cloud_shim.cli.advisory.affected import Affected, Rule, Span, Subject, version
from device.libraries import normalised
from device.protocol.errors import ProtocolError
from device.protocol.fields import items, table, text

Fields = dict[str, object]


def read(record: Fields) -> Subject:
    """The record's subject; ProtocolError or UsageError for another form.

    A withdrawn record is about no package.
    """
    identity = text(record, "id", "osv")
    if record.get("withdrawn"):
        return Subject(identity, _summary(record), (), (f"{identity} was withdrawn",))
    groups = [table(each, "osv.affected") for each in items(record.get("affected", []), "osv.affected")]
    return Subject(identity, _summary(record), tuple(_affected(each) for each in groups if _name(each)))


def _summary(record: Fields) -> str:
    return text(record, "summary", "osv", "") or text(record, "details", "osv", "").partition("\n")[0]


def _name(affected: Fields) -> str:
    """The package's name, "" for one outside of PyPI."""
    package = table(affected.get("package", {}), "osv.affected.package")
    # "PyPI:…" is not used, but the schema allows a suffix to every ecosystem.
    ecosystem = text(package, "ecosystem", "osv.affected.package", "").partition(":")[0]
    return normalised(text(package, "name", "osv.affected.package")) if ecosystem == "PyPI" else ""


def _affected(affected: Fields) -> Affected:
    name = _name(affected)
    listed = items(affected.get("versions", []), "osv.affected.versions")
    exactly = frozenset(text({"version": each}, "version", "osv.affected.versions") for each in listed)
    spans = [
        span
        for each in items(affected.get("ranges", []), "osv.affected.ranges")
        for span in _range(table(each, "osv.affected.ranges"), name)
    ]
    # Neither versions nor ranges: the schema leaves it open, so every version may be affected.
    return Affected(name, tuple(Rule(each) for each in spans), exactly, default=not exactly and not spans)


def _range(fields: Fields, name: str) -> Iterator[Span]:
    if text(fields, "type", "osv.affected.ranges") == "GIT":
        return
    events = [
        _event(table(each, "osv.events"), name) for each in items(fields.get("events"), "osv.affected.ranges.events")
    ]
    yield from _spans([each for each in events if each is not None])


def _event(fields: Fields, name: str) -> tuple[str, Version | None] | None:
    """The event's kind and its version; "introduced" at None is from the first version on."""
    for kind in ("introduced", "fixed", "last_affected"):
        if kind in fields:
            told = text(fields, kind, "osv.events")
            return kind, None if (kind, told) == ("introduced", "0") else version(told, f"The range of {name}")
    if "limit" in fields:
        return None
    raise ProtocolError("osv.events: an event is introduced, fixed, last_affected or limit")


def _spans(events: Sequence[tuple[str, Version | None]]) -> Iterator[Span]:
    """The stretches between the events; these may stand in any order."""
    low: Version | None = None
    inside = False
    for kind, at in sorted(events, key=_order):
        if kind == "introduced":
            low, inside = (low, True) if inside else (at, True)
        elif inside:
            yield Span(low, at, closed=kind == "last_affected")
            inside = False
    if inside:
        yield Span(low)


def _order(event: tuple[str, Version | None]) -> tuple[bool, Version, int]:
    kind, at = event
    return at is not None, at or Version("0"), ("fixed", "introduced", "last_affected").index(kind)
