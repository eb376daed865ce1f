"""A child process: started, waited for until it is ready, stopped, killed.

Each child has a session of its own. So Ctrl-C on the terminal reaches only the parent, and the parent stops its
children in order. Where `setpriv` exists (Linux), the kernel ends the child when the parent dies suddenly. The kernel
ties this to the *thread* that started the child: start children from a thread as long-lived as the parent.
Any program can be a child; restarts are decided in guard.py.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cloud_shim.cli.up.logs import open_private
from device.errors import LamplightError

_POLL = 0.02  # seconds between two looks at a condition


class Process:
    """One child. It runs `command`, with `environment` added to ours; its output is appended to the file `log`."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.command = list(command)
        self.log = log
        self._environment = dict(environment or {})
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether it was started and still runs."""
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int:
        """The process id; 0 before the start."""
        return self._child.pid if self._child else 0

    @property
    def exit_code(self) -> int | None:
        """How it ended, negative for a signal; None while it runs or before the start."""
        return self._child.poll() if self._child else None

    def start(self) -> None:
        """Start it; LamplightError when the program is missing."""
        self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(self.log, "ab", opener=open_private) as log:
            try:
                self._child = subprocess.Popen(
                    [*_tied_to_parent(), *self.command],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **self._environment},
                    start_new_session=True,
                )
            except OSError as error:
                raise LamplightError(f"Cannot start the {self.name}", str(error)) from error

    def wait_ready(
        self, ready: Callable[[], bool], timeout: float, cancelled: Callable[[], bool] = lambda: False
    ) -> None:
        """Return once `ready()` or `cancelled()`; LamplightError when it ends first, or after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not cancelled():
            if not self.running:
                raise self.failure("ended before it was ready")
            if ready():
                return
            if time.monotonic() > deadline:
                raise self.failure(f"was not ready within {timeout:g} s")
            time.sleep(_POLL)

    def stop(self, grace: float = 5.0) -> None:
        """Ask it to end; after `grace` seconds, kill it. Processes left behind in its group are killed after it."""
        if self._child is None:
            return
        if self.running:
            self._child.terminate()
            try:
                self._child.wait(grace)
            except subprocess.TimeoutExpired:
                pass
        self.kill()

    def kill(self) -> None:
        """End it at once, with every process left in its process group, and wait until it is gone."""
        if self._child is None:
            return
        try:
            os.killpg(self._child.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass  # nobody is left; macOS says PermissionError when only a zombie is
        self._child.wait()
        self._child = None

    def last_lines(self, count: int = 10) -> list[str]:
        """The end of its log."""
        try:
            return self.log.read_text("utf-8", "replace").splitlines()[-count:]
        except OSError:
            return []

    def failure(self, what: str) -> LamplightError:
        """An error that says `what` happened to it, with its last words."""
        said = "".join(f"\n    {line}" for line in self.last_lines())
        why = f"its last words, from {self.log}:{said}\n" if said else f"it said nothing; its log is {self.log}"
        return LamplightError(f"The {self.name} {what}", why)


def _tied_to_parent() -> list[str]:
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
