"""`flash.py local`: the agent on this machine, as a service of systemd's."""

from typing import Any

from cloud_shim.commands.arguments import Options, command
from flashing.commands import member
from flashing.targets.local import Local


@command("local")
@member.options
def run(options: Options, **chosen: Any) -> None:
    """Install the agent on this machine as a service, or upgrade it; `flash.py remove` takes it off again."""
    member.install(options, Local(), chosen)
