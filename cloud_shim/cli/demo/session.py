"""One run of the demo: a home on free ports, in a temporary folder; both are gone afterwards."""

import signal
import tempfile
from pathlib import Path

from cloud_shim.cli.demo.steps import Demo
from cloud_shim.cli.demo.transcript import perform
from cloud_shim.cli.terminal import Terminal
from cloud_shim.cli.up import ports
from cloud_shim.cli.up.home import Home
from cloud_shim.cli.up.home_folder import HomeFolder
from device.errors import LamplightError

_DEVICE = "desk-pi"
_LAST_WORDS = 5  # lines of each log, shown when a step failed


def run(terminal: Terminal) -> None:
    """Perform the demo; LamplightError names the failed step."""
    # `kill` ends it as Ctrl-C does: through the clean-up below.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="lamplight-demo-") as folder:
        home = Home(HomeFolder(Path(folder) / "state"), ports.free(), ports.free(), _DEVICE)
        try:
            perform(Demo(home, Path(folder) / "workshop").steps(), terminal)
        except LamplightError:
            _last_words(home, terminal)
            raise
        finally:
            home.stop()


def _last_words(home: Home, terminal: Terminal) -> None:
    for child in home.children:
        for line in child.last_lines(_LAST_WORDS):
            terminal.say((f"{child.name:>10}  ", "dim"), line)
