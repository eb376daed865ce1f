"""What happens in the fleet, as lines while it happens; what `up` and `dev` show.

It runs in a thread of its own until the program ends. What a line looks like is lines.py's.
"""

import threading
from collections.abc import Callable
from typing import Any

from cloud_shim.cli import lines
from cloud_shim.cli.client import Client, Message
from cloud_shim.cli.terminal import Line, Terminal
from device.errors import LamplightError


class Live:
    """Prints what the shim streams, of one device or ("") of all.

    `ended` is called when it cannot go on, for instance when nobody reads its lines any more.
    """

    def __init__(self, url: str, terminal: Terminal, ended: Callable[[], None], device: str = "") -> None:
        self._url = url
        self._terminal = terminal
        self._ended = ended
        self._device = device
        self._online: dict[str, bool] = {}

    def start(self) -> threading.Thread:
        """Begin, in the background; the thread does not keep the program from ending."""
        thread = threading.Thread(target=self._run, name="live", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        try:
            with Client(self._url) as client:
                for message in client.follow(self._device):
                    self._show(message)
        except (LamplightError, OSError):
            pass  # the shim never was there, or nobody reads the lines
        finally:
            self._ended()

    def _show(self, message: Message) -> None:
        if message.event == "device":
            self._presence(message.data)
        # A decision tells its reading too.
        elif message.data["kind"] != "reading":
            self._terminal.data(message.data, lines.record(message.data))

    def _presence(self, device: dict[str, Any]) -> None:
        name, online = device["name"], device["online"]
        if self._online.get(name, online) != online:
            self._terminal.say(*presence(name, online))
        self._online[name] = online


def presence(name: str, online: bool) -> Line:
    """The line for a device that came or went."""
    return [(f"{name} is ", ""), ("online", "green") if online else ("offline", "yellow")]
