"""`flash.py ssh USER@HOST`: the agent onto a running board, or a newer one, over SSH."""

from pathlib import Path
from typing import Any

import click

from cloud_shim.cli.options import Options, command
from flashing.commands import machine_options
from flashing.commands.machine_options import MachineOptions
from flashing.targets.ssh import Ssh


@command("ssh")
@click.argument("host", metavar="USER@HOST")
@click.option("-F", "config", type=click.Path(path_type=Path), metavar="FILE", help="As ssh: instead of ~/.ssh/config.")
@machine_options.options
def run(options: Options, host: str, config: Path | None, **asked: Any) -> None:
    """Install the agent on the running machine at USER@HOST, or upgrade it; a second time it gives the same.

    OpenSSH's own client leads there, and sudo makes you root if need be: both ask you themselves.
    """
    with Ssh(host, config) as target:
        machine_options.install(options, target, MachineOptions(**asked))
