"""The releases to be signed again when this machine takes the keys: shown to a person, and chosen by one.

A thief of the shim may have planted a release before. Signing it again would make it the owner's, so nothing is signed
unseen: a person chooses at the terminal, or on the command line.
"""

import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import click

from cloud_shim.cli.options import Options
from cloud_shim.trust import release_metadata
from cloud_shim.words.amounts import moment
from device.errors import NotFoundError, RejectedError, UsageError

Json = Mapping[str, Any]
HEADINGS = ("RELEASE", "MADE", "BY", "SHA256", "ASKED FOR ON")
_SUFFIX = ".tar"


class Listed(NamedTuple):
    """A signed release: its target, its digest, and what the shim says of it; `devices` are asked to run it."""

    target: str
    sha256: str
    made: str
    by: str
    devices: tuple[str, ...]

    @property
    def name(self) -> str:
        """As people write it: functions/night-light@3."""
        kind, name, version = self.target.removesuffix(_SUFFIX).split("/")
        return f"{kind.removesuffix('s')}/{name}@{version}"


def listed(image: Json, releases: Sequence[Json], devices: Sequence[Json]) -> list[Listed]:
    """Every release that the repository lists, by its name. Digests are signed; maker and time are the shim's word."""
    told = {f"{each['kind']}s/{each['name']}/{each['version']}{_SUFFIX}": each for each in releases}
    found: list[Listed] = []
    for text in image["delegated"].values():
        for target, entry in release_metadata.parse(text).signed.targets.items():
            matched = release_metadata.TARGET.fullmatch(target)
            if matched and matched[2] == "tar":
                release = told.get(target, {})
                made = moment(release["created"]) if release.get("created") else "unknown"
                names = tuple(sorted(each["name"] for each in devices if target in _asked(each)))
                sha256 = entry.hashes.get("sha256", "")
                found.append(Listed(target, sha256, made, release.get("by", ""), names))
    return sorted(found, key=lambda each: (each.target.rpartition("/")[0], _version(each.target)))


def chosen(options: Options, found: Sequence[Listed], wanted: Collection[str], everything: bool) -> set[str]:
    """The targets a person confirms: all of them, those named by `wanted`, or those chosen at the terminal.

    Raises UsageError when nobody can be asked, and NotFoundError for a name that is not there; nothing is signed then.
    """
    rows = [[each.name, each.made, each.by or "unknown", each.sha256[:12], ", ".join(each.devices)] for each in found]
    if found and not options.as_json:
        options.terminal.say("These releases are to be signed again, with the new keys:")
        options.terminal.listing(rows, HEADINGS)
    confirmed = _confirmed(options, found, wanted, everything)
    _check_needed(found, confirmed)
    return confirmed


def _confirmed(options: Options, found: Sequence[Listed], wanted: Collection[str], everything: bool) -> set[str]:
    if everything or not found:
        return {each.target for each in found}
    if wanted:
        return {_find(found, each).target for each in wanted}
    if not (options.terminal.watched and sys.stdin.isatty()):
        raise UsageError(
            f"{len(found)} releases would be signed again, and nobody has confirmed them",
            "someone may have planted one: " + ", ".join(each.name for each in found[:20]),
            "`--sign NAME@VERSION` for each that you know, or `--all`",
        )
    if click.confirm(f"Do you know all {len(found)} of them, and sign them?", err=True):
        return {each.target for each in found}
    return {each.target for each in found if click.confirm(f"Sign {each.name}?", err=True)}


def _find(found: Sequence[Listed], wanted: str) -> Listed:
    name, at, version = wanted.rpartition("@")
    exact = f"{name}{at}{version.removeprefix('v')}"
    matching = [each for each in found if exact in (each.name, each.name.partition("/")[2])]
    if len(matching) != 1:
        known = ", ".join(each.name for each in found[:20])
        raise NotFoundError(f"{wanted!r} names {len(matching)} releases", f"there are {known}", "KIND/NAME@VERSION")
    return matching[0]


def _check_needed(found: Sequence[Listed], confirmed: Collection[str]) -> None:
    """A device that is asked for an unsigned release would take nothing more, not even a withdrawal."""
    needed = [each for each in found if each.devices and each.target not in confirmed]
    if needed:
        first = needed[0]
        raise RejectedError(
            f"{', '.join(each.name for each in needed)} was not confirmed, and {first.devices[0]} is asked for it",
            "nothing was signed, and no key was moved",
            f"take it off the device first (`lamplight remove {first.devices[0]}/…`, `rollback`), or confirm it",
        )


def _asked(device: Json) -> set[str]:
    desired = device["desired"]
    targets = {
        f"{kind}/{name}/{each['version']}{_SUFFIX}"
        for kind in ("functions", "models")
        for name, each in desired.get(kind, {}).items()
    }
    targets |= {
        f"layers/{layer['name']}/{layer['version']}{_SUFFIX}"
        for each in desired.get("functions", {}).values()
        if (layer := each.get("layer"))
    }
    agent = desired.get("agent")
    return targets | ({f"agents/lamplight/{agent['version']}{_SUFFIX}"} if agent else set())


def _version(target: str) -> int:
    return int(target.rpartition("/")[2].removesuffix(_SUFFIX))
