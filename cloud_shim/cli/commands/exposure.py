"""`lamplight exposure PACKAGE[==VERSION] | FILE`: the boards with it, its version there, and since when."""

import time
from collections.abc import Sequence
from typing import Any

import click

from cloud_shim.cli.advisory import wanted
from cloud_shim.cli.advisory.affected import Affected
from cloud_shim.cli.lines import printable
from cloud_shim.cli.options import Options, command
from cloud_shim.words import amounts

HEADINGS = ("DEVICE", "SEEN", "PACKAGE", "VERSION", "IN", "SINCE")
EXPOSED = 1


@command("exposure")
@click.argument("what", metavar="PACKAGE[==VERSION] | FILE")
def run(options: Options, what: str) -> None:
    """Show the boards with PACKAGE, or with the affected packages of an advisory's FILE (OSV or CVE, JSON).

    Offline boards count with their last report. Exit code 0: no board runs it; 1: some do.
    """
    subject = wanted.read(what)
    answers = [(each, options.client.exposure(each.name)) for each in subject.packages]
    found = [use for affected, answer in answers for use in exposed(affected, answer["uses"])]
    unknown = sorted({name for _, answer in answers for name in answer["unknown"]})
    for note in subject.notes:
        options.terminal.say(("note: ", "bold"), printable(note))
    told = {"id": subject.id, "summary": subject.summary, "packages": [each.name for each in subject.packages]}
    answer = {**told, "notes": list(subject.notes), "exposed": found, "unknown": unknown}
    if unknown:
        options.terminal.say(f"Not known of the agents of {', '.join(unknown)}: they do not tell their libraries.")
    if found:
        options.terminal.table(answer, [row(each, time.time()) for each in found], HEADINGS)
        raise click.exceptions.Exit(EXPOSED)
    options.terminal.data(answer)
    options.terminal.say(f"No board is known to run {printable(subject.id)}.")


def exposed(affected: Affected, uses: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The uses of an affected version. A use of an unknown version may be one, and counts."""
    return [each for each in uses if not each["version"] or affected.includes(each["version"])]


def row(use: dict[str, Any], now: float) -> list[str]:
    """The cells for one use."""
    functions = ", ".join(use["functions"]) or f"agent {use['agent']}".strip()
    since = "asked for" if use["state"] == "asked" else _date(use["since"])
    version = use["version"] or f"{use['requires']} (not known)".strip()
    return [use["device"], _seen(use, now), use["package"], version, functions, since]


def _date(since: float | None) -> str:
    return "not known" if since is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(since))


def _seen(use: dict[str, Any], now: float) -> str:
    seen = "online" if use["online"] else amounts.ago(use["last_seen"], now)
    return f"revoked, {seen}" if use["revoked"] else seen
