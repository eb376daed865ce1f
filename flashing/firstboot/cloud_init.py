"""First boot by cloud-init: its NoCloud data source reads the boot partition (cloud-init's documentation, "NoCloud").

YAML is written as JSON, a part of YAML: every text of a person then keeps its meaning.
"""

import hashlib
import json
from collections.abc import Callable, Mapping

from flashing.firstboot import DONE, INSTALL, MOUNTED, Settings, with_arguments, with_i2c
from flashing.networks import netplan

USER = "pi"
# runcmd would not do: it is noted as done when it begins, and a power cut would leave a first boot unfinished for ever.
# bootcmd comes with every boot, early, and so only asks for a run when all else is there.
_UNLESS_DONE = f"test -e {DONE} || test ! -e {INSTALL} || sh {INSTALL}"
_INSTALL = [
    "systemd-run",
    "--no-block",
    "--unit=lamplight-install",
    f"--property=RequiresMountsFor={MOUNTED}",
    "--property=After=cloud-final.service",
    "sh",
    "-c",
    _UNLESS_DONE,
]
GROUPS = ["adm", "dialout", "gpio", "i2c", "netdev", "spi", "sudo", "video"]


def files(read: Callable[[str], str], settings: Settings) -> Mapping[str, str]:
    """The files of the boot partition to write, by name; `read` gives the existing ones."""
    user_data = "#cloud-config\n" + _json(_user_data(settings))
    network = _json({"network": netplan.network(settings.networks)})
    # The same settings are the same instance: it does not run its first boot again.
    instance = "lamplight-" + hashlib.sha256((user_data + network).encode()).hexdigest()[:16]
    return {
        "user-data": user_data,
        "meta-data": _json({"instance-id": instance, "local-hostname": settings.hostname}),
        "network-config": network,
        "cmdline.txt": with_arguments(read("cmdline.txt"), f"ds=nocloud;i={instance}", "ds=nocloud"),
        "config.txt": with_i2c(read("config.txt")),
        **settings.networks.files,
    }


def _user_data(settings: Settings) -> dict[str, object]:
    data: dict[str, object] = {"hostname": settings.hostname, "manage_etc_hosts": True, "bootcmd": [_INSTALL]}
    if settings.ssh_key:
        data["users"] = [_user(settings.ssh_key)]
        data["ssh_pwauth"] = False
        data["runcmd"] = [["systemctl", "enable", "--now", "ssh"]]
    return data


def _user(key: str) -> dict[str, object]:
    return {
        "name": USER,
        "groups": GROUPS,
        "shell": "/bin/bash",
        "lock_passwd": True,
        "sudo": "ALL=(ALL) NOPASSWD:ALL",
        "ssh_authorized_keys": [key],
    }


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
