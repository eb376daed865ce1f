"""A supervisor with one function, as the agent wires it, without the agent: for what happens inside a board."""

import contextlib
import tempfile
from collections.abc import Generator, Mapping
from pathlib import Path

import boards
from device.generation import InstalledModel
from device.hal.hardware import Hardware
from device.link.outbox import Outbox
from device.runtime.supervisor import Supervisor
from tests.bench import installed


@contextlib.contextmanager
def running(
    name: str,
    code: str,
    config: Mapping[str, object] | None = None,
    models: Mapping[str, InstalledModel] | None = None,
) -> Generator[Supervisor, None, None]:
    """A supervisor on a simulated board, with a real outbox, that runs `code` as the function `name`."""
    with tempfile.TemporaryDirectory(prefix="lamplight-bench-") as temporary:
        folder = Path(temporary)
        outbox = Outbox(folder / "outbox.db")
        # The functions lease no hardware, so no simulated hardware has to run behind this socket.
        hardware = Hardware(boards.load("lamplight/simulated"), folder / "hardware.sock")
        supervisor = Supervisor(hardware, outbox.append, folder / "scratch", folder / "states")
        try:
            function = installed.function(folder / "bundle", name, code, config or {}, models or {})
            supervisor.switch(installed.generation(function))
            yield supervisor
        finally:
            supervisor.close()
            outbox.close()
