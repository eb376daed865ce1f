"""`lamplight new STARTER [PATH]`: a folder of one's own, copied from a starter."""

import shlex
import shutil
from pathlib import Path

import click

from cloud_shim.cli import starters
from cloud_shim.cli.options import Options, command
from device.errors import LamplightError, NotFoundError


@command("new")
@click.argument("starter")
@click.argument("path", default="")
def run(options: Options, starter: str, path: str) -> None:
    """Copy STARTER into PATH (default: a folder of the starter's name) to begin a function of your own.

    STARTER may be a model as well, such as `presence`.
    """
    folder = Path(path or starter)
    copy(starter, folder)
    options.terminal.data({"starter": starter, "path": str(folder)}, [(str(folder), "")])
    typed = shlex.quote(str(folder))
    dev = f", or `lamplight dev {typed}` to deploy at each save" if starter in starters.names() else ""
    options.terminal.say(f"Next: `lamplight deploy {typed}`{dev}.")


def copy(starter: str, folder: Path) -> None:
    """Copy it; NotFoundError lists the starters there are, LamplightError when `folder` exists already."""
    if starter not in (*starters.names(), *starters.model_names()):
        there = f"there are {', '.join(starters.names())}; and of models {', '.join(starters.model_names())}"
        raise NotFoundError(f"There is no starter {starter!r}", there)
    if folder.exists() or folder.is_symlink():
        raise LamplightError(f"{folder} exists already", "nothing was changed", f"`lamplight new {starter} OTHER-PATH`")
    try:
        shutil.copytree(starters.path(starter), folder, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    except OSError as error:
        raise LamplightError(f"Cannot write {folder}", str(error)) from error
