"""A root shell on the board's second serial port: runs a command and gives what it printed. It needs no network."""

import socket
import time
import uuid
from pathlib import Path

_PATIENCE = 300.0


class Shell:
    """The shell behind the serial port whose socket is `path`. One command at a time."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._socket.settimeout(1.0)

    def run(self, command: str, patience: float = _PATIENCE) -> str:
        """What `command` printed, without the last line end. Fails when it does not end with 0 within `patience` s."""
        # In two parts: the terminal echoes what is typed, and that is not the answer.
        mark = uuid.uuid4().hex
        half = len(mark) // 2
        end = f'echo; echo "{mark[:half]}""{mark[half:]}" $?'
        self._socket.sendall(f" echo {mark[:half]}''{mark[half:]}; ({command}); {end}\n".encode())
        deadline = time.monotonic() + patience
        text = ""
        while text.count(mark) < 2 or not text.endswith("\n"):
            assert time.monotonic() < deadline, f"the board's shell did not answer {command!r}:\n{text[-2000:]}"
            text += self._received()
        _, printed, rest = text.replace("\r", "").split(mark)
        assert rest.split()[0] == "0", f"{command!r} failed on the board:\n{printed}"
        return printed.strip("\n")

    def close(self) -> None:
        self._socket.close()

    def _received(self) -> str:
        try:
            return self._socket.recv(1 << 16).decode("utf-8", "replace")
        except TimeoutError:
            return ""
