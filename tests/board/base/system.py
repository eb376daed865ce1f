"""Makes a system that runs of unpacked packages: what their scripts would have done, and Raspberry Pi OS's part.

The packages' scripts would need an emulated machine for minutes; what they do that matters here is little. The rest is
what Raspberry Pi OS has and Debian has not: groups `gpio` and `i2c` with their device nodes, the boot partition at
/boot/firmware, cloud-init's data on it. Three things are the virtual board's own, and said so below.
"""

import shutil
import subprocess
from pathlib import Path

from tests.board.base import recipe

_USERS = "sshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n"
_GROUPS = "gpio:x:986:\ni2c:x:987:\nspi:x:988:\nnetdev:x:989:\n"

# Where a unit is wanted, and which: what `systemctl enable` in their packages' scripts would make.
_ENABLED = {
    "multi-user.target": ("systemd-networkd.service",),
    "sockets.target": ("systemd-networkd.socket",),
    "cloud-init.target": (
        "cloud-init-main.service",
        "cloud-init-local.service",
        "cloud-init-network.service",
        "cloud-config.service",
        "cloud-final.service",
    ),
}
# They rebuild what a package's script would have built, ask questions, or wait for a network that need not come.
_MASKED = (
    "systemd-firstboot.service",
    "systemd-hwdb-update.service",
    "systemd-journal-catalog-update.service",
    "systemd-networkd-wait-online.service",
    "systemd-pcrlock-make-policy.service",
    "ldconfig.service",
    "man-db.timer",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "serial-getty@ttyAMA0.service",
    "getty@tty1.service",
)

# What update-alternatives would have chosen.
_ALTERNATIVES = {"awk": "mawk", "nc": "nc.openbsd"}

_FILES = {
    "etc/fstab": f"""\
proc            /proc           proc    defaults          0       0
PARTUUID={recipe.DISK_ID:08x}-01  /boot/firmware  vfat    defaults          0       2
PARTUUID={recipe.DISK_ID:08x}-02  /               ext4    defaults,noatime  0       1
""",
    "etc/hostname": "raspberrypi\n",
    "etc/hosts": "127.0.0.1 localhost\n127.0.1.1 raspberrypi\n",
    # Empty: the first boot makes one, without taking itself for a machine that was never set up (machine-id(5)).
    "etc/machine-id": "",
    "etc/resolv.conf": "",
    # NetworkManager's part: any cable, by DHCP. What cloud-init writes comes before it.
    "etc/systemd/network/90-cable.network": "[Match]\nName=eth0\n\n[Network]\nDHCP=yes\n",
    # raspberrypi-sys-mods, 99-com.rules.
    "etc/udev/rules.d/99-com.rules": """\
SUBSYSTEM=="i2c-dev", GROUP="i2c", MODE="0660"
SUBSYSTEM=="spidev", GROUP="spi", MODE="0660"
SUBSYSTEM=="*gpiomem*", GROUP="gpio", MODE="0660"
SUBSYSTEM=="gpio", GROUP="gpio", MODE="0660"
""",
    # rpi-cloud-init-mods.
    "etc/cloud/cloud.cfg.d/99_raspberry-pi.cfg": """\
datasource_list: [ NoCloud, None ]
datasource:
  NoCloud:
    seedfrom: file:///boot/firmware/
""",
    "etc/systemd/system/cloud-init-main.service.d/boot.conf": "[Unit]\nRequiresMountsFor=/boot/firmware\n",
    # The keys that an emulated processor makes soon enough.
    "etc/cloud/cloud.cfg.d/98_keys.cfg": "ssh_genkeytypes: [ed25519]\n",
    # raspberrypi-sys-mods: what firstrun.sh has it do here.
    "usr/lib/raspberrypi-sys-mods/imager_custom": """\
#!/bin/sh
[ "$1" = set_hostname ] || exit 1
sed -i "s/127.0.1.1.*/127.0.1.1 $2/" /etc/hosts
echo "$2" >/etc/hostname
""",
    # The virtual board's own: the sensor's bus hangs on USB, and its name is that of the header's.
    "etc/udev/rules.d/90-virtual-i2c.rules": """\
SUBSYSTEM=="i2c-dev", ATTR{name}=="i2c-tiny-usb*", SYMLINK+="i2c-1"
""",
    # The virtual board's own: a root shell on the second serial port.
    "etc/systemd/system/virtual-shell.service": """\
[Unit]
DefaultDependencies=no
After=dev-ttyS1.device
IgnoreOnIsolate=yes

[Service]
ExecStart=/bin/bash --noprofile --norc
Environment=TERM=dumb PS1= HOME=/root
StandardInput=tty
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS1
TTYReset=yes
Restart=always
RestartSec=1

[Install]
WantedBy=sysinit.target
""",
    # The virtual board's own: with `virtual.clock` the clock is as on a Raspberry Pi that never knew the time. systemd
    # alone would set it to when it was built.
    "etc/systemd/system/virtual-clock.service": """\
[Unit]
DefaultDependencies=no
ConditionKernelCommandLine=virtual.clock
Before=sysinit.target

[Service]
Type=oneshot
ExecStart=/bin/date --set=@1000000

[Install]
WantedBy=sysinit.target
""",
    # The virtual board's own: the journal stands on the console too, of which each start's is kept outside the board.
    # It goes by the kernel's log: the console's port belongs to Bluetooth, and has no device.
    "etc/systemd/journald.conf.d/console.conf": """\
[Journal]
ForwardToKMsg=yes
MaxLevelKMsg=info
""",
    # An emulated processor is some twenty times slower than a board's.
    "etc/systemd/system.conf.d/patient.conf": """\
[Manager]
DefaultTimeoutStartSec=900s
DefaultDeviceTimeoutSec=900s
DefaultTimeoutStopSec=180s
""",
    "etc/pam.d/common-auth": "auth required pam_unix.so nullok\n",
    "etc/pam.d/common-account": "account required pam_unix.so\n",
    "etc/pam.d/common-password": "password required pam_unix.so\n",
    "etc/pam.d/common-session": "session required pam_unix.so\nsession optional pam_systemd.so\n",
    "etc/pam.d/common-session-noninteractive": "session required pam_unix.so\n",
}


def finish(root: Path) -> Path:
    """Turn the tree at `root` into a system that boots; gives the folder of its kernel's modules."""
    for name in recipe.LEFT_OUT:
        shutil.rmtree(root / "usr/share" / name, ignore_errors=True)
    _accounts(root)
    for name, text in _FILES.items():
        _write(root / name, text)
    _units(root)
    shutil.copy(root / "usr/share/openssh/sshd_config", root / "etc/ssh/sshd_config")
    for name, target in _ALTERNATIVES.items():
        _link(root / "usr/bin" / name, target)
    authorities = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    _write(root / "etc/ssl/certs/ca-certificates.crt", "".join(each.read_text() for each in authorities))
    (root / "boot/firmware").mkdir(parents=True, exist_ok=True)
    modules = next((root / "usr/lib/modules").iterdir())
    subprocess.run(["depmod", "-b", str(root), modules.name], check=True)
    return modules


def _accounts(root: Path) -> None:
    """What base-passwd and the packages' scripts make. Root has no password; systemd-sysusers adds its own users."""
    masters = root / "usr/share/base-passwd"
    users = (masters / "passwd.master").read_text().replace(":*:", ":x:") + _USERS
    groups = (masters / "group.master").read_text().replace(":*:", ":x:") + _GROUPS
    _write(root / "etc/passwd", users)
    _write(root / "etc/group", groups)
    _write(root / "etc/shadow", "".join(f"{line.split(':')[0]}:*:20000::::::\n" for line in users.splitlines()))
    _write(root / "etc/gshadow", "".join(f"{line.split(':')[0]}:*::\n" for line in groups.splitlines()))
    for each in ("shadow", "gshadow"):
        (root / "etc" / each).chmod(0o640)


def _units(root: Path) -> None:
    units = root / "etc/systemd/system"
    for target, names in {**_ENABLED, "sysinit.target": ("virtual-shell.service", "virtual-clock.service")}.items():
        for name in names:
            home = "/etc" if (units / name).is_file() else "/usr/lib"
            _link(units / f"{target}.wants" / name, f"{home}/systemd/system/{name}")
    for name in _MASKED:
        _link(units / name, "/dev/null")
    _link(units / "default.target", "/usr/lib/systemd/system/multi-user.target")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755 if text.startswith("#!") else 0o644)


def _link(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)
