"""First boot by `firstrun.sh`: systemd runs the script named by the kernel command line, then starts again.

As rpi-imager does for Raspberry Pi OS Bookworm. Names and networks are set by the system's own `imager_custom`.
"""

import shlex
from collections.abc import Callable, Mapping

from device.errors import UsageError
from flashing.firstboot import INSTALL, MOUNTED, RUNS, Settings, with_arguments, with_i2c
from flashing.secrets import WPA2, Wifi

SCRIPT = "firstrun.sh"
_RUN = (
    f"systemd.run={MOUNTED}/{SCRIPT} systemd.run_success_action=reboot "
    "systemd.run_failure_action=reboot systemd.unit=kernel-command-line.target"
)
# Takes the arguments of _RUN out again.
_END = ";".join(f"s| {each.replace('.', '[.]')}[^ ]*||g" for each in RUNS)


def files(read: Callable[[str], str], settings: Settings) -> Mapping[str, str]:
    """The files of the boot partition to write, by name; `read` gives the existing ones."""
    return {
        SCRIPT: _script(settings),
        "cmdline.txt": with_arguments(read("cmdline.txt"), _RUN),
        "config.txt": with_i2c(read("config.txt")),
    }


def _network(wifi: Wifi) -> list[str]:
    """The arguments of the image's script, as Raspberry Pi Imager 1.8 gives them: it knows only networks with a key."""
    if wifi.security != WPA2:
        raise UsageError(
            f"This image cannot join a Wi-Fi of the kind {wifi.security!r} at its first boot",
            "its script `imager_custom` knows WPA2 only",
            "take an image with cloud-init (Raspberry Pi OS of Trixie), or a cable",
        )
    return [*(["-h"] if wifi.hidden else []), wifi.ssid, wifi.key, wifi.country]


def _script(settings: Settings) -> str:
    custom = "/usr/lib/raspberrypi-sys-mods/imager_custom"
    lines = [shlex.join([custom, "set_hostname", settings.hostname])]
    if settings.ssh_key:
        lines.append(shlex.join([custom, "enable_ssh", "-k", settings.ssh_key]))
    if settings.wifi is not None:
        lines.append(shlex.join([custom, "set_wlan", *_network(settings.wifi)]))
    return "\n".join(
        [
            "#!/bin/sh",
            "# One failure must not keep the rest from being done, and never this script from going away.",
            "set +e",
            *lines,
            f"sh {INSTALL}",
            f"rm -f {MOUNTED}/{SCRIPT}",
            f"sed -i {shlex.quote(_END)} {MOUNTED}/cmdline.txt",
            "exit 0",
            "",
        ]
    )
