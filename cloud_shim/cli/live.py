"""The events of the fleet, as lines while they happen, for `up` and `dev`.

It runs in a thread of its own until the program ends. The look of a line is lines.py's.
"""

import threading
from collections.abc import Callable
from typing import Any

from cloud_shim.cli import lines
from cloud_shim.cli.client import Client, Message
from cloud_shim.cli.terminal import Line, Terminal
from device.errors import LamplightError


class Live:
    """Prints the shim's stream, of one device or ("") of all.

    `ended` is called when it stops, for instance because the reader of its lines is gone.
    """

    def __init__(self, url: str, terminal: Terminal, ended: Callable[[], None], device: str = "") -> None:
        self._url = url
        self._terminal = terminal
        self._ended = ended
        self._device = device
        self._online: dict[str, bool] = {}

    def start(self) -> threading.Thread:
        """Begin, in a background thread; the program may end before it."""
        thread = threading.Thread(target=self._run, name="live", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        try:
            with Client(self._url) as client:
                for message in client.follow(self._device):
                    self._show(message)
        except (LamplightError, OSError):
            pass  # the shim never answered, or the reader of the lines is gone
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
    """The line for a device's coming or going."""
    return [(f"{name} is ", ""), ("online", "green") if online else ("offline", "yellow")]
