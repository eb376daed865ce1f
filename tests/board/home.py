"""The home that the virtual board belongs to: a real `lamplight up --listen`, and the wire between the two.

It knows nothing of the board but that it comes over the wire.
"""

from pathlib import Path

from cloud_shim.cli.up import ports
from tests.e2e.conftest import Fleet
from tests.sim.wire import Wire


class Home(Fleet):
    """A Fleet without a simulated device. Boards reach its broker by TLS through `wire`, under the name `known_as`."""

    def __init__(self, state: Path, known_as: str) -> None:
        tls_port = ports.free()
        super().__init__(state, "--no-device", "--listen", f"127.0.0.1:{tls_port}", "--listen-name", known_as)
        self.patience = 600.0
        self.wire = Wire(tls_port)

    def ready(self) -> bool:
        """Whether shim and broker are there."""
        return any("url" in line for line in self.lines)

    def knows(self, name: str) -> bool:
        """Whether the device was let in."""
        return name in [each["name"] for each in self._client.devices()]

    def close(self) -> None:
        """Stop all of it."""
        if self.running:
            self.stop()
        self.wire.close()
