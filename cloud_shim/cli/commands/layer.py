"""What a function needs beside its own files: the layer of its requirements.txt, built for a device and sent.

It does not deploy; `deploy` and `dev` do.
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
    """The RELEASE with what the function's requirements.txt asks for, for this device; {} when it needs nothing.

    Raises OfflineError when the device has not said what it is or there is no package index, RejectedError when there
    is no wheel for it.
    """
    if not (folder / REQUIREMENTS).is_file():
        return {}
    report = reported.known(options.client.device(device)["reported"])
    target = layers.platform(report)
    options.terminal.say(f"{REQUIREMENTS}: choosing wheels for {target}")
    packed = layers.build(folder, target, models=report is not None and report.ai)
    if packed is None:
        return {}
    layer = push(options.client, packed)
    options.terminal.say(f"{release('layer ' + layer['name'], layer['version'])} ({layer['length']:,} bytes)")
    return layer
