"""The emulator's control socket (QMP): reads the board's memory and registers. It does not start the emulator."""

import json
import socket
from pathlib import Path
from typing import Any

# BCM2837 ARM Peripherals, chapter 6: GPLEV0, as the processor sees it; one bit for each of the lines 0 to 31.
_LEVELS = 0x3F20_0034


class Qmp:
    """A connection to the emulator whose control socket is `path` (QEMU, docs/interop/qmp-spec)."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("r")
        self._lines.readline()  # the greeting
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: Any) -> Any:
        """Run a command; events that come in between are dropped."""
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        while "return" not in (answer := json.loads(self._lines.readline())):
            assert "error" not in answer, answer
        return answer["return"]

    def level(self, line: int) -> bool:
        """The level of a GPIO line, 0 to 31, as the controller's register says it."""
        text = self.execute("human-monitor-command", **{"command-line": f"xp /1wx {_LEVELS:#x}"})
        return bool(int(text.split(":")[1], 16) >> line & 1)

    def close(self) -> None:
        self._lines.close()
        self._socket.close()
