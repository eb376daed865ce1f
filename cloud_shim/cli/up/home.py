"""The processes of a Lamplight on one machine: started one after the other, each when the one before is ready.

    broker ← shim ← simulated hardware ← agent

They are stopped in the opposite order. Restarts are guard.py's, and printing is session.py's.
"""

import sys
from collections.abc import Callable, Sequence

from cloud_shim.broker import setup as broker
from cloud_shim.broker.setup import Listener
from cloud_shim.cli import starters
from cloud_shim.cli.client import Client
from cloud_shim.cli.release.packing import pack
from cloud_shim.cli.release.pushing import push
from cloud_shim.cli.up import ports
from cloud_shim.cli.up.home_folder import HomeFolder
from cloud_shim.cli.up.process import Process
from cloud_shim.cli.up.provision import BOARD, FLEET, DeviceFiles
from device.errors import LamplightError

STARTER = "night-light"
_READY = 30.0  # seconds; far more than any of them needs, for a busy machine


class Home:
    """A broker, a shim and, unless `device` is "", one simulated device, with their files in `folder`.

    `cancelled` is asked during each wait: when it says True, `start` returns early. The device's functions are served
    at `http_port`, 0 for any free one. `boards` is the broker's listener for other boards.
    """

    def __init__(
        self,
        folder: HomeFolder,
        port: int,
        mqtt_port: int,
        device: str,
        cancelled: Callable[[], bool] = lambda: False,
        http_port: int = 0,
        boards: Listener | None = None,
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.device = device
        self.files = DeviceFiles(device, folder.device(device), folder.hardware_socket(device))
        self._mqtt_port = mqtt_port
        self._http_port = http_port
        self._cancelled = cancelled
        self.boards = boards
        prepared = broker.prepare(folder.cloud, mqtt_port, FLEET, boards=boards)
        self.broker_note = prepared.note
        self.broker = Process("broker", prepared.argv, folder.log("broker"))
        shim = ("--state", str(folder.cloud), "--port", str(port), "--broker-port", str(mqtt_port), "--fleet", FLEET)
        reach = ("--boards-port", str(boards.port)) if boards else ()
        self.shim = _python("shim", folder, "cloud_shim.app", *shim, *reach)
        self.hardware = _python("hardware", folder, "device.hal.sim", "--socket", str(self.files.socket))
        self.agent = _python("agent", folder, "device.launcher", "--config", str(self.files.config))

    @property
    def children(self) -> Sequence[Process]:
        """All processes, in the order of their start."""
        return (self.broker, self.shim, self.hardware, self.agent) if self.device else (self.broker, self.shim)

    def start(self) -> None:
        """Start them; returns when each is ready. LamplightError names the failed one, with its last words."""
        self.start_broker()
        self.start_shim()
        if self.device:
            self._provision()
            self._start(self.hardware, self.files.socket.exists)
            self.start_agent()
            self._start_function()

    def start_broker(self) -> None:
        """Start the broker; returns when it takes connections."""
        self._start(self.broker, lambda: ports.is_open(self._mqtt_port))

    def start_shim(self) -> None:
        """Start the shim; returns when it answers."""
        self._start(self.shim, self._shim_answers)

    def start_agent(self) -> None:
        """Start the agent; returns when the shim sees it."""
        self._start(self.agent, self._device_is_online)

    def link(self) -> str:
        """A link that opens the console in a browser, signed in."""
        with Client(self.url) as client:
            return client.link()

    def stop(self) -> None:
        """Stop them all, the most dependent first."""
        for child in reversed(self.children):
            child.stop()

    def _start(self, child: Process, ready: Callable[[], bool]) -> None:
        if not self._cancelled():
            child.start()
            child.wait_ready(ready, _READY, self._cancelled)

    def _shim_answers(self) -> bool:
        try:
            with Client(self.url, timeout=2.0) as client:
                client.devices()
            return True
        except LamplightError:
            return False

    def _device_is_online(self) -> bool:
        with Client(self.url) as client:
            return client.device(self.device)["online"]

    def _provision(self) -> None:
        """Make the device known to the shim, anew at each start: ports and folders may have changed meanwhile."""
        if self._cancelled():
            return
        with Client(self.url) as client:
            given = client.add_device(self.device, BOARD, str(self.files.socket))
            self.files.write(given, self._mqtt_port, self._http_port)

    def _start_function(self) -> None:
        """Give a brand-new device its first function; a device whose functions were removed stays empty."""
        if self._cancelled():
            return
        with Client(self.url) as client:
            if not client.device(self.device)["desired"]["generation"]:
                client.deploy(self.device, push(client, pack(starters.path(STARTER))))


def _python(name: str, folder: HomeFolder, module: str, *arguments: str) -> Process:
    # -P: files in the folder where `up` was typed must not be imported in place of ours.
    command = [sys.executable, "-P", "-m", module, *arguments]
    return Process(name, command, folder.log(name), {"PYTHONUNBUFFERED": "1"})
