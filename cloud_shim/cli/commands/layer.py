"""A function's needs beside its own files: the layer of its requirements.txt, built for a device, then sent.

Built before the function is sent, so that a package without a wheel uses up no number of a release; sent after it, so
that a function the device cannot take uses up none of a layer. `deploy` and `dev` do the deploying.
"""

from pathlib import Path
from typing import Any

from cloud_shim.cli.lines import release
from cloud_shim.cli.options import Options
from cloud_shim.cli.release import layers
from cloud_shim.cli.release.pushing import push
from device.protocol import reported
from device.protocol.layer import REQUIREMENTS


def build(options: Options, folder: Path, device: str) -> bytes | None:
    """The packed layer of the function's requirements.txt, for this device; None when it needs nothing.

    The lock beside it is used, or written with a word on what changed. Raises OfflineError before the device's first
    report and when the package index is out of reach, RejectedError for a line that is refused and when a wheel for
    the device is missing.
    """
    if not (folder / REQUIREMENTS).is_file():
        return None
    report = reported.known(options.client.device(device)["reported"])
    target = layers.platform(report)
    options.terminal.say(f"{REQUIREMENTS}: choosing wheels for {target}")
    return layers.build(folder, target, report is not None and report.ai, options.terminal.say)


def send(options: Options, packed: bytes | None) -> dict[str, Any]:
    """The RELEASE of the layer, for a deployment; {} stands for none."""
    if packed is None:
        return {}
    layer = push(options.client, packed)
    options.terminal.say(f"{release('layer ' + layer['name'], layer['version'])} ({layer['length']:,} bytes)")
    return layer
