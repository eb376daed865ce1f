"""`lamplight token`: the tokens by which people and programs say who they are; made, rotated, revoked."""

import time

import click

from cloud_shim.cli.options import Options, command, common_options
from cloud_shim.people.identity import GRANTED, OWNER
from cloud_shim.words import amounts

HEADINGS = ("TOKEN", "PERMISSION", "MADE", "BROWSERS")


@click.group("token", params=common_options(), no_args_is_help=False)
def run() -> None:
    """Show, make and end the tokens that the shim knows. On this machine the owner's is found without being named."""


@command("list")
def show(options: Options) -> None:
    """List every token: its permission, and how many browsers it has signed in."""
    tokens, now = options.client.tokens(), time.time()
    rows = [
        [each["name"], each["permission"], amounts.ago(each["made"], now), str(each["sessions"])] for each in tokens
    ]
    options.terminal.table({"tokens": tokens}, rows, HEADINGS)


@command("create")
@click.argument("name")
@click.option("--permission", type=click.Choice(list(GRANTED)), required=True, help="The highest permission it has.")
def create(options: Options, name: str, permission: str) -> None:
    """Make the token NAME, and show its text, for this once: for CI, or for another machine, as LAMPLIGHT_TOKEN."""
    made = options.client.create_token(name, permission)
    options.terminal.data(made, [(made["token"], "bold")])
    options.terminal.say(f"It is shown only now. Whoever has it is {name}, and may {permission}.")


@command("rotate")
@click.argument("name", default=OWNER)
def rotate(options: Options, name: str) -> None:
    """Replace the token NAME, or the owner's: the old one is worth nothing then, and its browsers are signed out."""
    made = options.client.rotate_token(name)
    told = made["token"] or "The owner has a new token; commands on this machine find it"
    options.terminal.data(made, [(told, "bold" if made["token"] else "")])


@command("revoke")
@click.argument("name")
def revoke(options: Options, name: str) -> None:
    """End the token NAME: it is worth nothing, its browsers are signed out, and what it follows ends at once."""
    options.client.revoke_token(name)
    options.terminal.data({"revoked": name}, [(f"{name} is known no more", "")])


for each in (show, create, rotate, revoke):
    run.add_command(each)
