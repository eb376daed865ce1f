"""`flash.py local`: the agent on this machine, as a service of systemd's."""

from typing import Any

from cloud_shim.cli.options import Options, command
from flashing.commands import machine_options
from flashing.commands.machine_options import MachineOptions
from flashing.targets.local import Local


@command("local")
@machine_options.options
def run(options: Options, **asked: Any) -> None:
    """Install the agent on this machine as a service, or upgrade it; `flash.py remove` takes it off again."""
    machine_options.install(options, Local(), MachineOptions(**asked))
