"""Reads a CVE record of version 5 (cveproject.github.io/cve-schema): its packages and their affected versions.

A CVE names products. A product of another collection than PyPI is left out. A product without a collection is taken by
its name, with a note.
"""

from collections.abc import Iterator

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from cloud_shim.cli.advisory.affected import Affected, Rule, Span, Specified, Subject, version
from device.libraries import normalised
from device.protocol.fields import items, table, text

Fields = dict[str, object]
_FIRST = ("", "0", "*", "-", "n/a", "unspecified")
_PURL = "pkg:pypi/"


def read(record: Fields) -> Subject:
    """The record's subject; ProtocolError or UsageError for another form."""
    identity = text(table(record.get("cveMetadata"), "cve.cveMetadata"), "cveId", "cve.cveMetadata")
    containers = table(record.get("containers"), "cve.containers")
    cna = table(containers.get("cna"), "cve.containers.cna")
    if "rejectedReasons" in cna:
        return Subject(identity, "", (), (f"{identity} was rejected",))
    parts = [cna, *(table(each, "cve.containers.adp") for each in items(containers.get("adp", []), "cve.adp"))]
    listed = [each for part in parts for each in items(part.get("affected", []), "cve.affected")]
    products = [table(each, "cve.affected") for each in listed]
    named = [(name, sure, each) for each in products for name, sure in _names(each)]
    unsure = sorted({name for name, sure, _ in named if not sure})
    notes = (f"{identity} does not say that it means PyPI's {', '.join(unsure)}; taken by the name",) if unsure else ()
    return Subject(identity, text(cna, "title", "cve", ""), tuple(_affected(n, each) for n, _, each in named), notes)


def _names(product: Fields) -> Iterator[tuple[str, bool]]:
    """The package's name, and whether the record places it on PyPI; empty for another collection's."""
    purl, collection = (text(product, key, "cve.affected", "") for key in ("packageURL", "collectionURL"))
    name = text(product, "packageName", "cve.affected", "") or text(product, "product", "cve.affected", "")
    if purl.startswith(_PURL):
        yield normalised(purl.removeprefix(_PURL).partition("@")[0].partition("?")[0]), True
    elif not purl and name and (not collection or "pypi" in collection.lower()):
        yield normalised(name), bool(collection)


def _affected(name: str, product: Fields) -> Affected:
    default = text(product, "defaultStatus", "cve.affected", "unknown") == "affected"
    listed = [table(each, "cve.versions") for each in items(product.get("versions", []), "cve.affected.versions")]
    rules = [rule for each in listed for rule in _rules(each, name)]
    # Of a product without versions, every version is affected.
    return Affected(name, tuple(rules), default=default or not listed)


def _rules(fields: Fields, name: str) -> Iterator[Rule]:
    """One entry's rules; the changes within it come first, for the first fitting rule decides."""
    where = f"The range of {name}"
    affected = text(fields, "status", "cve.versions") == "affected"
    told = text(fields, "version", "cve.versions").strip()
    high, closed = _end(fields)
    if not high and told not in _FIRST and not told[0].isalnum():
        yield Rule(_specifiers(told, where), affected)
        return
    low = None if told in _FIRST else version(told, where)
    end = None if high in ("", "*") else version(high, where)
    if not high and told not in _FIRST:
        yield Rule(Span(low, low, closed=True), affected)
        return
    changes = [table(each, "cve.changes") for each in items(fields.get("changes", []), "cve.versions.changes")]
    at = [(version(text(c, "at", "cve.changes"), where), text(c, "status", "cve.changes")) for c in changes]
    for start, status in sorted(at, reverse=True):
        yield Rule(Span(start, end, closed), status == "affected")
    yield Rule(Span(low, end, closed), affected)


def _end(fields: Fields) -> tuple[str, bool]:
    """The end of the entry's range, "" for a single version, and whether the end is part of it."""
    if "lessThanOrEqual" in fields:
        return text(fields, "lessThanOrEqual", "cve.versions").strip(), True
    return text(fields, "lessThan", "cve.versions", "").strip(), False


def _specifiers(told: str, where: str) -> Specified:
    """A range in the version's field, as in ">= 1.0, < 2.0" or "= 1.2"."""
    parts = [part.strip() for part in told.split(",")]
    wanted = ",".join(f"={part}" if part.startswith("=") and not part.startswith("==") else part for part in parts)
    try:
        return Specified(SpecifierSet(wanted))
    except InvalidSpecifier:
        version(told, where)
        raise
