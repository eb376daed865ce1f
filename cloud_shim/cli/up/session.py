"""One run of `lamplight up`, from the first port check to the last process stopped."""

import signal
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from cloud_shim.broker.setup import Listener
from cloud_shim.cli.live import Live
from cloud_shim.cli.terminal import Terminal
from cloud_shim.cli.up import ports
from cloud_shim.cli.up.guard import Guard
from cloud_shim.cli.up.home import Home
from cloud_shim.cli.up.home_folder import HomeFolder

_LOOK = 0.2  # seconds between two looks at the children
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Wish:
    """The arguments of `up`. `device` "" starts no simulated device, `boards` is the listener for real ones."""

    folder: Path
    port: int
    mqtt_port: int
    device: str
    fresh: bool
    http_port: int
    boards: Listener | None = None


def run(wish: Wish, terminal: Terminal) -> None:
    """Start everything, show the fleet's events, and return when a signal has ended it and all is stopped."""
    folder = HomeFolder(wish.folder)
    with folder.locked(), _stopped_by_signals() as stop:
        ports.ensure_all_free(_wanted(wish))
        if wish.fresh:
            folder.clear()
        home = Home(folder, wish.port, wish.mqtt_port, wish.device, stop.is_set, wish.http_port, wish.boards)
        if home.broker_note:
            terminal.say(home.broker_note)
        terminal.say(f"Starting, with everything kept in {folder.path}")
        try:
            home.start()
            _go_on(home, terminal, stop)
        finally:
            terminal.say("Stopping")
            home.stop()


def _wanted(wish: Wish) -> dict[str, int]:
    """The ports, by the option for each."""
    wanted = {"--port": wish.port, "--mqtt-port": wish.mqtt_port}
    if wish.boards:
        wanted["--listen"] = wish.boards.port
    if wish.device:
        # Only the device's functions need it, and perhaps none serves anything yet. But a taken port would be a
        # riddle then, and is a sentence now.
        wanted["--http-port"] = wish.http_port
    return wanted


def _go_on(home: Home, terminal: Terminal, stop: threading.Event) -> None:
    """Show and guard a running home until `stop`."""
    if stop.is_set():
        return
    if home.boards:
        terminal.say(f"Boards reach the broker at {' or '.join(home.boards.names)}, port {home.boards.port}, by TLS")
    link = home.link()
    terminal.data({"url": home.url, "link": link}, [("Console: ", ""), (link, "bold"), ("   (Ctrl-C stops)", "dim")])
    Live(home.url, terminal, stop.set).start()
    guard = Guard(home.children, terminal.error)
    while not stop.wait(_LOOK):
        guard.look(time.monotonic())


@contextmanager
def _stopped_by_signals() -> Generator[threading.Event, None, None]:
    """An event set by SIGINT, SIGTERM or SIGHUP. So a signal never ends the process in the middle of a start."""
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    before = {each: signal.signal(each, end) for each in _SIGNALS}
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
