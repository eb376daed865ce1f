"""A board of another processor: the real launcher and agent under QEMU's user emulation, in a root of their own.

Its sensor and its LED are the simulated hardware, which is a process of this machine. It shares this machine's network
and kernel: what the kernel offers to confine workers with is not what a board of that kind would have.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

from device.hal.sim.link import Link
from device.hal.sim.world import World
from tests.support import until

BOARD = "lamplight/simulated"
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "PYTHONPATH": "/opt/lamplight", "PYTHONDONTWRITEBYTECODE": "1"}
# In a mount namespace of its own, so that nothing stays mounted whatever happens.
_ENTER = """
mount --make-rprivate / && mount --bind "$1" "$1" && mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" &&
mount --bind "$2" "$1/var/lib/lamplight" && mount --bind "$3" "$1/opt/lamplight" && mount -t tmpfs tmpfs "$1/tmp" &&
mount -o remount,bind,ro "$1" &&
exec /usr/sbin/chroot "$1" /usr/bin/python3 -P -m device.launcher --config /var/lib/lamplight/agent.toml
"""


class EmulatedBoard:
    """One device, from its first start until the end of the `with`."""

    def __init__(self, name: str, root: Path, libraries: Path, mqtt_port: int) -> None:
        self.name = name
        self._root, self._libraries, self._mqtt_port = root, libraries, mqtt_port
        # A short path: a socket lies in it.
        self._folder = Path(tempfile.mkdtemp(prefix="lamplight-"))
        self.socket = self._folder / "hardware.sock"
        self.log = self._folder / "log"
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "EmulatedBoard":
        command = [sys.executable, "-m", "device.hal.sim", "--socket", str(self.socket)]
        self._processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        until(self.socket.exists, "the simulated hardware is there")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in reversed(self._processes):
            process.terminate()
            process.wait(60)
        if error is not None and self.log.exists():
            sys.stderr.write(self.log.read_text(errors="replace")[-20_000:])
        shutil.rmtree(self._folder)

    def start(self, given: dict[str, Any]) -> None:
        """Install what the shim gave for this device, and start the agent as its service would."""
        home = Path("/var/lib/lamplight")
        for name, text in self._files(given, home).items():
            (self._folder / name).parent.mkdir(exist_ok=True)
            (self._folder / name).write_text(text)
            (self._folder / name).chmod(0o600)
        enter = ["unshare", "--mount", "sh", "-c", _ENTER, "sh", str(self._root), str(self._folder)]
        with self.log.open("wb") as log:
            command = [*enter, str(self._libraries)]
            self._processes.append(subprocess.Popen(command, stdout=log, stderr=log, env=_ENVIRONMENT))

    def _files(self, given: dict[str, Any], home: Path) -> dict[str, str]:
        told = {"fleet": "home", "device": self.name, "board": BOARD, "state": str(home / "state")}
        told |= {"roots": str(home / "roots"), "simulation": str(home / self.socket.name)}
        broker = {"host": "127.0.0.1", "port": self._mqtt_port, "username": self.name}
        broker |= {"password_file": str(home / "password")}
        return {
            "agent.toml": "\n".join([*_lines(told), "[broker]", *_lines(broker), "[http]", "port = 0", ""]),
            "password": given["password"],
            "roots/director-root.json": given["director_root"],
            "roots/image-root.json": given["image_root"],
        }

    def ended(self) -> bool:
        """Whether the launcher or the hardware is gone."""
        return any(process.poll() is not None for process in self._processes)

    def world(self) -> World:
        """The light around it, and its LED."""
        return World(Link(self.socket))

    def led_becomes(self, lit: bool) -> None:
        """Wait for the LED itself; emulation is slow."""
        world = self.world()
        until(lambda: world.state()["pins"]["led"] is lit, f"the LED of {self.name} is {lit}", 180)  # type: ignore[index]


def _lines(table: dict[str, Any]) -> list[str]:
    return [f"{key} = {json.dumps(value)}" for key, value in table.items()]
