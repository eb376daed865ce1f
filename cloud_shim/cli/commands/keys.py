"""`lamplight keys`: all keys in a table, and those of this machine: taken from the shim, renewed, replaced."""

import sys
from datetime import UTC, datetime
from typing import Any

import click

from cloud_shim.cli.commands import key_holders
from cloud_shim.cli.keys import confirming
from cloud_shim.cli.keys.machine_keys import release_keys_of, root_keys_of, tell_pending, when
from cloud_shim.cli.keys.release_keys import ReleaseKeys
from cloud_shim.cli.lines import withdrawal
from cloud_shim.cli.options import Options, command, common_options
from cloud_shim.trust import release_metadata, shim_keys
from cloud_shim.words import keys as key_view
from device.errors import RejectedError, UsageError

_FORGET = click.option(
    "--forget-withdrawals", "forget", is_flag=True, help="Begin a new list: a thief of the old keys filled it."
)
HEADINGS = ("KEY", "SIGNS", "WHERE", "KEY ID", "SIGNED UNTIL")


@click.group("keys", params=common_options(), no_args_is_help=False)
def run() -> None:
    """Show the signing keys of the fleet, and move those for releases to this machine."""


@command("show")
def show(options: Options) -> None:
    """List every key: what it signs, where it lies, and until when devices believe its signatures."""
    answer = options.client.keys()
    keys = key_view.keys(answer, {**release_keys_of(answer).ids(), **root_keys_of(answer).ids()})
    rows = [[key[column] for column in ("name", "signs", "where", "id", "until")] for key in keys]
    options.terminal.table({"keys": keys, "pending": answer["pending"]}, rows, HEADINGS)
    tell_pending(options, answer)


@command("take")
@click.option("--yes", is_flag=True, help="Do not ask whether to move the keys.")
@click.option("--sign", multiple=True, metavar="NAME@VERSION", help="Sign this release again; may be repeated.")
@click.option("--all", "everything", is_flag=True, help="Sign every release again, as the shim has it.")
@_FORGET
def take(options: Options, yes: bool, sign: tuple[str, ...], everything: bool, forget: bool) -> None:
    """Move the keys for releases, and both root keys, from the shim to this machine; only it can release then.

    The releases so far are shown, with their makers, and signed again with the new keys as far as you confirm them.
    Withdraw the ones that you do not know: a board that ran one might go back to it.
    The console cannot deploy changed code any more: only this machine can sign it.
    """
    answer = options.client.keys()
    keys = release_keys_of(answer)
    if not keys.owns(answer["image"]):
        _warn(options, yes)
    if not keys.owns(answer["image"]):
        _check_takable(answer, "image-root", keys)
        found = confirming.listed(answer["image"], options.client.releases(), options.client.devices())
        confirmed = confirming.chosen(options, found, sign, everything)
        for each in [] if forget else release_metadata.withdrawals(answer["image"]["targets"]):
            options.terminal.say(f"{withdrawal(each)} stays withdrawn: {each.because}")
        answer = options.client.adopt(keys.take(answer["image"], confirmed, forget))
    roots = root_keys_of(answer)
    if not roots.owns("director"):
        _check_takable(answer, "director-root", keys)
        answer = options.client.adopt(roots.take_director())
    options.terminal.data({"folder": str(keys.folder)}, [(f"The release keys are in {keys.folder}", "")])
    options.terminal.say("Keep a copy in a safe place: without them nothing can be released to these devices.")


@command("renew")
def renew(options: Options) -> None:
    """Sign every list of releases again with the keys on this machine; devices believe them for another year."""
    answer = options.client.keys()
    offer = release_keys_of(answer).renew(answer["image"])
    options.client.adopt(offer)
    roles = ["targets", *offer["delegated"]]
    options.terminal.data({"renewed": roles}, [(f"Signed again: {', '.join(roles)}", "")])


@command("rotate")
@click.argument("key", type=click.Choice(shim_keys.ONLINE), default=None, required=False)
@_FORGET
def rotate(options: Options, key: str | None, forget: bool) -> None:
    """Replace the shim's KEY, or the keys on this machine: signatures of the old ones are worth nothing then.

    Boards follow, also those that were off meanwhile. Do this when a copy of a key may have been stolen.
    """
    if key and forget:
        raise UsageError("--forget-withdrawals is for new release keys", f"{key} signs no withdrawal", "leave one out")
    answer = options.client.keys()
    if key:
        answer = options.client.adopt(root_keys_of(answer).with_online(key, options.client.next_key(key)))
        options.terminal.data(
            {"rotated": key, "pending": answer["pending"]}, [(when(answer, f"{key} is a new key"), "")]
        )
    else:
        answer = options.client.adopt(release_keys_of(answer).rotate(answer["image"], forget))
        answer = options.client.adopt(root_keys_of(answer).rotate_director())
        ids = {**release_keys_of(answer).ids(), **root_keys_of(answer).ids()}
        folder = release_keys_of(answer).folder
        options.terminal.data(
            {"keys": ids, "pending": answer["pending"]}, [(when(answer, f"New keys are in {folder}"), "")]
        )
        options.terminal.say("Copies of the old ones are of no use then; make new copies.")
    tell_pending(options, answer)


@command("clock")
@click.option("--right", is_flag=True, required=True, help="The clock of the shim's machine is right now.")
def clock(options: Options, right: bool) -> None:
    """Let the shim sign again when it refuses to because its clock has leapt: after a long time switched off.

    Look at the clock first: boards take the time of a signature for true.
    """
    now = datetime.fromtimestamp(options.client.trust_clock(), UTC)
    options.terminal.data(
        {"now": now.timestamp()}, [(f"The shim signs by its clock again: {now:%Y-%m-%d %H:%M} UTC", "")]
    )


def _warn(options: Options, yes: bool) -> None:
    """Tell the consequences; ask, where a person can answer."""
    options.terminal.say(
        ("warning: ", "bold yellow"),
        "the console's Deploy button ends with this: then only this machine deploys code, by `lamplight deploy`",
    )
    if not yes and options.terminal.watched and sys.stdin.isatty():
        click.confirm("Move the keys?", abort=True, err=True)


def _check_takable(answer: dict[str, Any], name: str, keys: ReleaseKeys) -> None:
    if name not in answer["held"]:
        raise RejectedError(
            f"The keys were taken before, and not by this machine ({name})",
            "the shim no longer has the key that could hand them over",
            f"Copy them from that machine to {keys.folder}",
        )


for each in (show, take, renew, rotate, clock, *key_holders.COMMANDS):
    run.add_command(each)
