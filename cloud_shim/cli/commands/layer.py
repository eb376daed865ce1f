"""A function's needs beside its own files: the layer of its requirements.txt, built for a device and sent.

`deploy` and `dev` do the deploying.
"""

from pathlib import Path
from typing import Any

from cloud_shim.cli.lines import release
from cloud_shim.cli.options import Options
from cloud_shim.cli.release import layers
from cloud_shim.cli.release.pushing import push
from device.protocol import reported
from device.protocol.layer import REQUIREMENTS


def send(options: Options, folder: Path, device: str) -> dict[str, Any]:
    """The RELEASE with the packages of the function's requirements.txt, for this device; {} when it needs nothing.

    The lock beside it is used, or written with a word on what changed. Raises OfflineError before the device's first
    report and when the package index is out of reach, RejectedError for a line that is refused and when a wheel for
    the device is missing.
    """
    if not (folder / REQUIREMENTS).is_file():
        return {}
    report = reported.known(options.client.device(device)["reported"])
    target = layers.platform(report)
    options.terminal.say(f"{REQUIREMENTS}: choosing wheels for {target}")
    packed = layers.build(folder, target, report is not None and report.ai, options.terminal.say)
    if packed is None:
        return {}
    layer = push(options.client, packed)
    options.terminal.say(f"{release('layer ' + layer['name'], layer['version'])} ({layer['length']:,} bytes)")
    return layer
