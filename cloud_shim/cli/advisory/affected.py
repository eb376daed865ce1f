"""The affected versions of a package. Pure; versions compare as in PEP 440 (`packaging`)."""

from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from device.errors import UsageError


@dataclass(frozen=True)
class Span:
    """The versions from `low` on (None: from the first), up to `high` (None: all later ones), itself with `closed`."""

    low: Version | None = None
    high: Version | None = None
    closed: bool = False

    def holds(self, version: Version) -> bool:
        """Whether the version is one of them.

        >>> Span(Version("1.0"), Version("2.0")).holds(Version("2.0"))
        False
        """
        if self.low is not None and version < self.low:
            return False
        return self.high is None or version < self.high or (self.closed and version == self.high)


@dataclass(frozen=True)
class Specified:
    """The versions of a set of specifiers, such as ">=1.0,<2.0". Early versions count as any other."""

    wanted: SpecifierSet

    def holds(self, version: Version) -> bool:
        """Whether the version is one of them."""
        return self.wanted.contains(version, prereleases=True)


@dataclass(frozen=True)
class Rule:
    """These versions are affected, or with `affected` False are safe."""

    versions: Span | Specified
    affected: bool = True


@dataclass(frozen=True)
class Affected:
    """The affected versions of the package `name`: the first rule with the version decides, then `default`.

    The versions in `exactly` are affected in any case; each stands there as its author wrote it.
    """

    name: str
    rules: tuple[Rule, ...] = ()
    exactly: frozenset[str] = frozenset()
    default: bool = False

    def includes(self, version: str) -> bool:
        """Whether the version is affected. A version beyond comparison counts wherever there are rules."""
        if version in self.exactly:
            return True
        try:
            compared = Version(version)
        except InvalidVersion:
            return bool(self.rules) or self.default
        if any(_same(each, compared) for each in self.exactly):
            return True
        return next((each.affected for each in self.rules if each.versions.holds(compared)), self.default)


@dataclass(frozen=True)
class Subject:
    """The subject of a search. `id` names it, such as a CVE's number; `notes` tell of doubts in its reading."""

    id: str
    summary: str
    packages: tuple[Affected, ...]
    notes: tuple[str, ...] = ()


def version(text: str, where: str) -> Version:
    """`text` as a version; UsageError for one beyond comparison, since a range left out would hide boards."""
    try:
        return Version(text)
    except InvalidVersion:
        raise UsageError(
            f"{where} names the version {text[:80]!r}", "it is none that PEP 440 can compare", "name PACKAGE==VERSION"
        ) from None


def _same(written: str, other: Version) -> bool:
    try:
        return Version(written) == other
    except InvalidVersion:
        return False
