"""`lamplight keys`: which keys there are, and the release keys moved to this machine and used here."""

from typing import Any

import click

from cloud_shim import key_view, release_keys
from cloud_shim.commands.arguments import Options, command, common_options
from cloud_shim.release_keys import ReleaseKeys
from device.errors import RejectedError

HEADINGS = ("KEY", "SIGNS", "WHERE", "KEY ID", "SIGNED UNTIL")


@click.group("keys", params=common_options())
def run() -> None:
    """Show the keys that sign what devices run, and move those that sign releases to this machine."""


@command("show")
def show(options: Options) -> None:
    """List every key: what it signs, where it lies, and until when devices believe what it signed."""
    answer = options.client.keys()
    keys = key_view.keys(answer, _keys(answer).ids())
    rows = [[key[column] for column in ("name", "signs", "where", "id", "until")] for key in keys]
    options.terminal.table({"keys": keys}, rows, HEADINGS)


@command("take")
def take(options: Options) -> None:
    """Move the keys that sign releases from the shim to this machine; from then on only it can release."""
    answer = options.client.keys()
    keys = _keys(answer)
    if not keys.owns(answer["image"]):
        if "image-root" not in answer["held"]:
            raise RejectedError(
                "The release keys were taken before, and not by this machine",
                "the shim no longer has the key that could hand them over",
                f"Copy them from that machine to {keys.folder}",
            )
        options.client.adopt(keys.take(answer["image"]))
    options.terminal.data({"folder": str(keys.folder)}, [(f"The release keys are in {keys.folder}", "")])
    options.terminal.say("Keep a copy in a safe place: without them nothing can be released to these devices.")


@command("renew")
def renew(options: Options) -> None:
    """Sign every list of releases again with the keys on this machine; devices believe them for another year."""
    answer = options.client.keys()
    offer = _keys(answer).renew(answer["image"])
    options.client.adopt(offer)
    roles = ["targets", *offer["delegated"]]
    options.terminal.data({"renewed": roles}, [(f"Signed again: {', '.join(roles)}", "")])


@command("rotate")
@click.option("--director", is_flag=True, help="The shim's key that deploys, in place of those.")
def rotate(options: Options, director: bool) -> None:
    """Replace the three keys on this machine by new ones; what the old ones sign is worth nothing from then on."""
    if director:
        options.client.rotate_director()
        options.terminal.data({"rotated": "director-online"}, [("The shim deploys with a new key", "")])
        return
    answer = options.client.keys()
    keys = _keys(answer)
    after = _keys(options.client.adopt(keys.rotate(answer["image"])))
    options.terminal.data({"keys": after.ids()}, [(f"New release keys are in {after.folder}", "")])
    options.terminal.say("Copies of the old ones are of no use any more; make new copies.")


def _keys(answer: dict[str, Any]) -> ReleaseKeys:
    return ReleaseKeys(release_keys.home(), answer["image"])


for each in (show, take, renew, rotate):
    run.add_command(each)
