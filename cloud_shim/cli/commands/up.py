"""`lamplight up`: the whole of Lamplight on this machine."""

from pathlib import Path

import click

from cloud_shim.cli.options import Options, command
from device.config import HTTP_PORT
from device.errors import UsageError
from device.protocol.fields import is_name


@command("up")
@click.option(
    "--state",
    "folder",
    type=click.Path(path_type=Path),
    default=".lamplight",
    show_default=True,
    help="The folder that keeps the fleet between two runs.",
)
@click.option("--port", type=click.IntRange(1, 65535), default=8420, show_default=True, help="Console and API.")
@click.option("--mqtt-port", type=click.IntRange(1, 65535), default=8421, show_default=True, help="The broker.")
@click.option(
    "--http-port",
    type=click.IntRange(0, 65535),
    default=HTTP_PORT,
    show_default=True,
    help="Where the device serves its functions; 0 for any that is free.",
)
@click.option("--device", default="desk-pi", show_default=True, metavar="NAME", help="The simulated device's name.")
@click.option("--no-device", is_flag=True, help="No simulated device; for a fleet of real ones.")
@click.option(
    "--listen", default="", metavar="ADDRESS[:PORT]", help="Let boards reach the broker there, by TLS; 0.0.0.0 for all."
)
@click.option(
    "--listen-name", "names", multiple=True, metavar="NAME", help="One more name or address that boards know it by."
)
@click.option("--fresh", is_flag=True, help="Forget the fleet that an earlier run left in the folder.")
def run(
    options: Options,
    folder: Path,
    port: int,
    mqtt_port: int,
    http_port: int,
    device: str,
    no_device: bool,
    listen: str,
    names: tuple[str, ...],
    fresh: bool,
) -> None:
    """Start a broker, the shim and a simulated device, and show the events of the fleet until Ctrl-C."""
    from cloud_shim.cli.up import listening, session

    if not is_name(device):
        raise UsageError(f"{device!r} is no name for a device", "use lower-case letters, digits and '-'")
    if names and not listen:
        raise UsageError("No board can reach the broker", "--listen-name is for one that listens", "--listen 0.0.0.0")
    boards = listening.parse(listen, names) if listen else None
    wish = session.Wish(folder, port, mqtt_port, "" if no_device else device, fresh, http_port, boards)
    session.run(wish, options.terminal)
