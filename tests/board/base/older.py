"""The base image as Raspberry Pi OS was before it had cloud-init: nothing on its boot partition but what starts it.

Made of the base image in a moment, and not kept.
"""

import subprocess
from pathlib import Path

from tests.board.base import build, medium, recipe

_CLOUD_INIT = ("user-data", "meta-data", "network-config")


def image(target: Path) -> Path:
    """Make it as the file `target`."""
    subprocess.run(["cp", "--sparse=always", build.image(), target], check=True)
    cmdline = recipe.BOOT_FILES["cmdline.txt"].decode().replace("ds=nocloud;i=rpi-imager-0", "cloud-init=disabled")
    medium.change(target, {"cmdline.txt": cmdline.encode()}, _CLOUD_INIT)
    return target
