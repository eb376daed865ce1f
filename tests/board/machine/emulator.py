"""One emulated Raspberry Pi 3B with a card in it: the process, its sockets, what it said on its console.

QEMU does the firmware's work too: kernel, device tree, initramfs and command line come from the card's boot partition,
anew at every start. It knows nothing of Lamplight.
"""

import subprocess
from pathlib import Path

from tests.board.base import medium, recipe
from tests.board.machine.qmp import Qmp
from tests.board.machine.shell import Shell
from tests.support import until

# As the Raspberry Pi Foundation's addresses begin: the driver then calls the interface eth0.
_MAC = "b8:27:eb:00:00:01"
# The sensor's bus is the USB adapter's. QEMU has no such display, radio or sound; cdc_subset takes the network away
# from cdc_ether.
# The watchdog among them: QEMU resets the machine as soon as that is armed (hw/misc/bcm2835_powermgt.c).
_WITHOUT = "modprobe.blacklist=i2c_bcm2835,bcm2835_wdt,vc4,hci_uart,cdc_subset,cfg80211,snd_bcm2835"
# The kernel's log takes every line of the journal, however many come.
_LOGS = "printk.devkmsg=on"
# Raspberry Pi OS' kernel has no LSM of BPF programs; systemd would compile and load one for eight seconds.
_LSM = "lsm=landlock,lockdown,yama,integrity,apparmor"
_SOCKETS = 30.0


class Emulator:
    """The card `card` in a board whose sockets and logs are in `folder`; `usb` is the I2C adapter's socket.

    `ssh_port` of this machine leads to the board's SSH server.
    """

    def __init__(self, folder: Path, card: Path, usb: Path, ssh_port: int) -> None:
        self._folder = folder
        self._card = card
        self._usb = usb
        self._ssh_port = ssh_port
        self._starts = 0
        self._process: subprocess.Popen[bytes] | None = None

    def power_on(self, arguments: str = "") -> None:
        """Switch it on, with more kernel `arguments`; returns when its sockets are there, long before the system is."""
        self._starts += 1
        for each in ("qmp", "shell"):
            self._socket(each).unlink(missing_ok=True)
        with (self._folder / "emulator.log").open("ab") as log:
            self._process = subprocess.Popen(self._command(arguments), stdout=log, stderr=log)
        process = self._process
        sockets = [self._socket("qmp"), self._socket("shell")]
        until(lambda: all(each.exists() for each in sockets) or process.poll() is not None, "QEMU starts", _SOCKETS)
        assert process.poll() is None, (self._folder / "emulator.log").read_text()
        self.qmp = Qmp(self._socket("qmp"))
        self.shell = Shell(self._socket("shell"))

    def power_off(self) -> None:
        """Pull the plug: nothing that the board holds in memory gets to the card."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(60)
            self._process = None
            self.qmp.close()
            self.shell.close()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def console(self) -> str:
        """What this start has printed on the serial console so far."""
        log = self._console_log()
        return log.read_text("utf-8", "replace") if log.exists() else ""

    def _command(self, arguments: str) -> list[str]:
        boot = self._boot_files()
        # What the firmware does with the name of the port; `serial0` is the first.
        line = medium.read(self._card, "cmdline.txt").decode().strip().replace("serial0", "ttyAMA0")
        forwards = f"user,id=net,hostfwd=tcp:127.0.0.1:{self._ssh_port}-:22"
        return [
            "qemu-system-aarch64",
            *("-M", "raspi3b", "-display", "none", "-no-reboot"),
            *("-kernel", boot["kernel8.img"], "-dtb", boot[recipe.DEVICE_TREE[1]], "-initrd", boot["initramfs8"]),
            *("-append", f"{line} {_WITHOUT} {_LOGS} {_LSM} {arguments}"),
            *("-drive", f"file={self._card},if=sd,format=raw"),
            *("-serial", f"file:{self._console_log()}"),
            *("-serial", f"unix:{self._socket('shell')},server=on,wait=off"),
            *("-qmp", f"unix:{self._socket('qmp')},server=on,wait=off"),
            *("-chardev", f"socket,id=i2c,path={self._usb}", "-device", "usb-redir,chardev=i2c"),
            *("-netdev", forwards, "-device", f"usb-net,netdev=net,mac={_MAC}"),
        ]

    def _boot_files(self) -> dict[str, str]:
        """The files that the firmware would load, copied out of the card."""
        names = ("kernel8.img", "initramfs8", recipe.DEVICE_TREE[1])
        for name in names:
            (self._folder / name).write_bytes(medium.read(self._card, name))
        return {name: str(self._folder / name) for name in names}

    def _socket(self, name: str) -> Path:
        return self._folder / f"{name}.sock"

    def _console_log(self) -> Path:
        return self._folder / f"console-{self._starts}.log"
