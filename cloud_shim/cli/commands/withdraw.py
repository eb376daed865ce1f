"""`lamplight withdraw RELEASE VERSION --because WHY`: no device runs it any more. Without a release: the list."""

import sys
import time
from typing import Any

import click

from cloud_shim.cli.commands.sbom import choose
from cloud_shim.cli.keys.machine_keys import release_keys_of
from cloud_shim.cli.lines import release as called
from cloud_shim.cli.lines import withdrawal
from cloud_shim.cli.options import Options, command, warn
from cloud_shim.words import withdrawals as words
from cloud_shim.words.amounts import moment
from device.errors import UsageError
from device.protocol import withdrawn
from device.protocol.errors import ProtocolError
from device.protocol.withdrawn import MAX_BECAUSE, Withdrawal

HEADINGS = ("WITHDRAWN", "WHEN", "BY", "BECAUSE")


@command("withdraw")
@click.argument("release", default="")
@click.argument("version", default="")
@click.option("--because", default="", help="The reason, for people: every board and page shows it.")
@click.option("--and-older", "older", is_flag=True, help="Each release before it as well: it sets a lowest version.")
@click.option("--let-run", "lets_run", is_flag=True, help="Where it is installed it runs on.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def run(options: Options, release: str, version: str, because: str, older: bool, lets_run: bool, yes: bool) -> None:
    """Withdraw a release, as in: night-light v3. No device installs it again, or goes back to it, for good.

    Where it runs it is stopped, and its outputs go to their safe level; a device that is away does so once it hears of
    it. Deploy the better version first: each device then changes over without a pause. Without RELEASE: list the
    withdrawn ones.
    """
    if not release:
        _list(options)
        return
    if not because.strip():
        raise UsageError(
            "A withdrawal needs a reason", "people read it on every board", '--because "it burns the lamp"'
        )
    if "@" not in release and not version:
        raise UsageError("Which version?", "", f"lamplight withdraw {release} v3 --because …")
    found = choose(options.client.releases(), f"{release}@{version}" if version else release)
    asked = Withdrawal(
        found["kind"], found["name"], found["version"], older, because.strip(), int(time.time()), lets_run
    )
    _check(asked)
    _confirm(options, asked, yes)
    _withdraw(options, asked)
    devices = options.client.devices()
    options.terminal.data(
        {"withdrawn": asked.to_json(), "withdrawals": options.client.withdrawals()},
        [(f"{withdrawal(asked)} is withdrawn", "green")],
    )
    for notice in words.notices(devices):
        options.terminal.say(("warning: ", "bold yellow"), notice)


def _check(asked: Withdrawal) -> None:
    try:
        withdrawn.parse([asked.to_json()])
    except ProtocolError as error:
        raise UsageError(
            "This cannot be withdrawn so", str(error), f"a reason of at most {MAX_BECAUSE} characters"
        ) from None


def _withdraw(options: Options, asked: Withdrawal) -> None:
    """Sign it here, where this machine has the keys; else the shim signs it."""
    answer = options.client.keys()
    keys = release_keys_of(answer)
    if keys.owns(answer["image"]):
        options.client.adopt(keys.withdraw(answer["image"], asked))
    else:
        body = asked.to_json()
        del body["at"]
        options.client.withdraw(body)


def _confirm(options: Options, asked: Withdrawal, yes: bool) -> None:
    if yes or not (options.terminal.watched and sys.stdin.isatty()):
        return
    running = [each["name"] for each in options.client.devices() if _asked_for(each, asked)]
    if running:
        what = "It runs on" if asked.lets_run else "It stops"
        options.terminal.say(f"{what} on {', '.join(sorted(running))}.")
    click.confirm(f"Withdraw {withdrawal(asked)}? It cannot be taken back.", abort=True, err=True)


def _asked_for(device: dict[str, Any], asked: Withdrawal) -> bool:
    """Whether the DEVICE is asked for a release to be withdrawn."""
    parts: dict[str, Any] = device["desired"].get(f"{asked.kind}s", {})
    return asked.name in parts and asked.covers(asked.kind, asked.name, parts[asked.name]["version"])


def _list(options: Options) -> None:
    found = options.client.withdrawals()
    rows = [[_label(each), moment(each["at"]), each["by"], each["because"]] for each in found]
    options.terminal.table({"withdrawals": found}, rows, HEADINGS)
    if not found:
        options.terminal.say("Nothing was withdrawn.")
    warn(options)


def _label(entry: dict[str, Any]) -> str:
    return f"{called(entry['name'], entry['version'])}{' and older' if entry['older'] else ''}"
