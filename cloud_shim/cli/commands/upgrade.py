"""`lamplight upgrade DEVICE`: send the agent's code, and wait until the device runs it or has returned to the old."""

import time
from pathlib import Path

import click

from cloud_shim.cli.following import follow, waiting_options
from cloud_shim.cli.options import Options, command, existing_folder
from cloud_shim.cli.release import agent_release
from cloud_shim.cli.release.pushing import push


@command("upgrade")
@click.argument("device")
@click.option(
    "--source", metavar="FOLDER", default="", help="A folder with the packages `device` and `boards`; default: these."
)
@waiting_options
def run(options: Options, device: str, source: str, wait: bool, timeout: float) -> None:
    """Give DEVICE the version of the agent installed on this machine.

    The device goes back to its present one by itself unless the new one proves itself.
    """
    started = time.monotonic()
    archive, manifest = agent_release.pack(_folder(source))
    sent = push(options.client, archive, device)
    generation = options.client.deploy(device, sent)
    options.terminal.say(
        f"agent {manifest.version}, release v{sent['version']} ({sent['length']:,} bytes) to {device} "
        f"as generation {generation}"
    )
    about = {key: sent[key] for key in ("kind", "name", "version", "sha256", "length")}
    follow(options, device, generation, {**about, "agent": manifest.version}, started, wait, timeout)


def _folder(source: str) -> Path:
    return existing_folder(source) if source else agent_release.here()
