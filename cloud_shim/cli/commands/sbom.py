"""`lamplight sbom RELEASE|DEVICE`: the bill of materials of a release or a device, as a CycloneDX document."""

import json
from pathlib import Path
from typing import Any

import click

from cloud_shim.cli.client import Client
from cloud_shim.cli.lines import release as called
from cloud_shim.cli.options import Options, command
from device import durable
from device.errors import LamplightError, NotFoundError, UsageError


@command("sbom")
@click.argument("what", metavar="RELEASE|DEVICE")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write it to this file.")
def run(options: Options, what: str, output: Path | None) -> None:
    """Give the bill of materials (CycloneDX 1.6) of a release, or of a device and all on it.

    RELEASE is NAME@VERSION or NAME for the newest, with KIND/ before it where two kinds share the name: night-light@3,
    layer/aarch64-py311@2, lamplight@1 for the agent. A device's NAME means the device.
    """
    document = _document(options.client, what)
    text = json.dumps(document, ensure_ascii=False, indent=None if options.as_json else 2) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        durable.write_file(output, text.encode())
    except OSError as error:
        raise LamplightError(f"Cannot write {output}", str(error), "-o with another file") from error
    options.terminal.say(f"{output}: {len(document.get('components', []))} components")


def _document(client: Client, what: str) -> dict[str, Any]:
    if "/" not in what and "@" not in what and any(each["name"] == what for each in client.devices()):
        return client.device_sbom(what)
    return client.release_sbom(choose(client.releases(), what))


def choose(releases: list[dict[str, Any]], what: str) -> dict[str, Any]:
    """The RELEASE named by `what`, of these, newest first.

    Raises UsageError when releases of two kinds have the name, NotFoundError when there is none.

    >>> choose([{"kind": "function", "name": "lamp", "version": 2}], "lamp@2")["kind"]
    'function'
    """
    rest, _, version = what.partition("@")
    kind, _, name = rest.rpartition("/")
    version = version.removeprefix("v")
    named = [each for each in releases if each["name"] == name and kind in ("", each["kind"])]
    found = [each for each in named if version in ("", str(each["version"]))]
    if not found:
        known = ", ".join(called(each["name"], each["version"]) for each in named[:20])
        why = f"there are {known}" if known else "neither a release nor a device has that name"
        raise NotFoundError(f"There is no {what!r}", why, "`lamplight devices`, or NAME@VERSION of what was deployed")
    kinds = sorted({each["kind"] for each in found})
    if len(kinds) > 1:
        raise UsageError(f"{what!r} names a {' and a '.join(kinds)}", "", f"{kinds[0]}/{what}")
    return found[0]
