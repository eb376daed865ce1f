"""`lamplight devices`: every device in a table; boards are let in, rejected and shut out."""

import time
from collections.abc import Mapping
from typing import Any

import click

from cloud_shim.cli.lines import printable, release
from cloud_shim.cli.options import Options, command, common_options, warn
from cloud_shim.words import amounts
from device.errors import UsageError
from device.protocol import reported
from device.protocol.reported import ReportedFunction, ReportedModel

HEADINGS = ("DEVICE", "BOARD", "SEEN", "GENERATION", "FUNCTIONS", "MODELS")


@click.group("devices", params=common_options(), invoke_without_command=True)
@click.pass_context
def run(context: click.Context) -> None:
    """List the devices, with their presence, functions and models, and the boards asking to be let in."""
    if context.invoked_subcommand is None:
        _list(context.ensure_object(Options))


def _list(options: Options) -> None:
    devices, claims = options.client.devices(), options.client.claims()
    now = time.time()
    rows = [*(row(each, now) for each in devices), *(_claim_row(each, now) for each in claims)]
    options.terminal.table({"devices": devices, "claims": claims}, rows, HEADINGS)
    if not rows:
        options.terminal.say("No device yet; `lamplight up` starts a simulated one.")
    if any(each["state"] == "waiting" for each in claims):
        options.terminal.say("`lamplight devices accept NAME` lets a new board in, `reject` does not.")
    warn(options)


@command("accept")
@click.argument("board", metavar="NAME|FINGERPRINT")
@click.option("--again", is_flag=True, help="In place of the device of that name, which is shut out.")
def accept(options: Options, board: str, again: bool) -> None:
    """Let a new board in. Where two ask for one name, choose by the fingerprint in the board's log."""
    name = options.client.accept(board, again)
    options.terminal.data({"accepted": name}, [(f"{name} is let in", "green")])


@command("reject")
@click.argument("board", metavar="NAME|FINGERPRINT", required=False, default="")
@click.option("--all", "everyone", is_flag=True, help="Every board that waits.")
def reject(options: Options, board: str, everyone: bool) -> None:
    """Turn a new board away; it is listed as waiting no more. Its fingerprint can still be accepted later."""
    if bool(board) == everyone:
        raise UsageError("Which board?", "", "a NAME or FINGERPRINT, or --all")
    rejected = options.client.reject(board)
    options.terminal.data({"rejected": rejected}, [(f"Rejected: {', '.join(rejected) or 'none'}", "")])


@command("choose", dashes=True)
@click.argument("device", metavar="NAME")
@click.argument("hardware", metavar="BOARD")
def choose(options: Options, device: str, hardware: str) -> None:
    """Say which board is the device, where two claim its name: BOARD is its serial number or mark, as shown."""
    options.client.choose(device, hardware)
    options.terminal.data({"device": device, "board": hardware}, [(f"{hardware} is {device}", "green")])
    options.terminal.say(
        "Another one goes on by itself, kept out; `lamplight devices rename` gives it a name of its own."
    )


@command("rename", dashes=True)
@click.argument("device", metavar="NAME")
@click.argument("board", metavar="BOARD")
@click.argument("name", metavar="NEW-NAME")
def rename(options: Options, device: str, board: str, name: str) -> None:
    """Give a board that is kept out of NAME a name of its own: BOARD is its serial number, its mark, or the fingerprint
    in its log.
    """
    options.client.rename(device, board, name)
    options.terminal.data({"device": device, "board": board, "name": name}, [(f"{board} is to be {name}", "green")])
    options.terminal.say(
        f"It hears that at its next attempt to connect, within an hour or so, and starts its agent again as {name}. "
        f"Its functions and its records go with it; {device} keeps its own."
    )


@command("revoke")
@click.argument("device", metavar="NAME")
def revoke(options: Options, device: str) -> None:
    """Shut a device out for good. Its functions go on running there; only a new card brings it back."""
    options.client.revoke(device)
    options.terminal.data({"revoked": device}, [(f"{device} is shut out", "")])


@command("void-cards")
def void_cards(options: Options) -> None:
    """Make every unused card worthless, as when one was lost; new boards then need new cards."""
    ended = options.client.void_cards()
    told = f"Cards made before let nobody in any more; {ended} had a token that was not used"
    options.terminal.data({"tokens": ended}, [(told, "")])


for each in (accept, reject, choose, rename, revoke, void_cards):
    run.add_command(each)


def row(device: dict[str, Any], now: float) -> list[str]:
    """The cells for one DEVICE. "6 → 7" is a device with generation 6, asked for 7."""
    report = reported.known(device["reported"])
    running, asked = report.generation if report else 0, device["desired"]["generation"]
    return [
        device["name"],
        device["board"],
        _seen(device, now),
        str(running) if running == asked else f"{running} → {asked}",
        _parts("function", report.functions if report else {}, device),
        _parts("model", report.models if report else {}, device),
    ]


def _parts(kind: str, runs: Mapping[str, ReportedFunction | ReportedModel], device: dict[str, Any]) -> str:
    """The running functions or models, and the failed ones of the last requests."""
    told = [release(name, each.version) for name, each in runs.items()]
    failed = [each for each in device.get("failed", []) if each["kind"] == kind]
    told += [f"{release(each['name'], each['version'])} failed" for each in failed]
    return ", ".join(told) or "-"


def _claim_row(claim: dict[str, Any], now: float) -> list[str]:
    state = "new" if claim["state"] == "waiting" else claim["state"]
    told = [f"fingerprint {claim['fingerprint']}", f"serial {printable(claim['serial']) or 'unknown'}"]
    told += ["another board asks for this name"] if claim["twice"] else []
    told += ["there is a device of this name"] if claim["taken"] else []
    told += [claim["reason"]] if claim["reason"] else []
    return [
        claim["name"],
        printable(claim["board"]),
        f"{state}, {amounts.ago(claim['last'], now)}",
        "-",
        "; ".join(told),
        "-",
    ]


def _seen(device: dict[str, Any], now: float) -> str:
    if device["revoked"]:
        return "revoked"
    if device["online"]:
        report = reported.known(device["reported"])
        return "online, in safe mode" if report and report.agent.safe else "online"
    told = amounts.ago(device["last_seen"], now)
    return f"silent, {told}" if device["silent"] else told
