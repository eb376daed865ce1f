"""`flash.py remove [USER@HOST]`: takes the agent off a machine, and leaves the machine as it was before."""

from pathlib import Path

import click

from cloud_shim.cli.options import Options, command
from flashing.commands import machine_options
from flashing.targets.local import Local
from flashing.targets.ssh import Ssh


@command("remove")
@click.argument("host", metavar="[USER@HOST]", default="")
@click.option("-F", "config", type=click.Path(path_type=Path), metavar="FILE", help="As ssh: instead of ~/.ssh/config.")
@click.option("--yes", is_flag=True, help="Do not ask before the device is lost.")
def run(options: Options, host: str, config: Path | None, yes: bool) -> None:
    """Take the agent off the machine at USER@HOST, or off this one, and undo the changes of its installation there."""
    if not host:
        machine_options.remove(options, Local(), yes)
        return
    with Ssh(host, config) as target:
        machine_options.remove(options, target, yes)
