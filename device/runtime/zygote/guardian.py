"""Puts the outputs to their safe level when the agent ends before doing so, with its zygote or alone.

A small process, forked by the zygote and waiting for one thing: the end of a pipe held open by the agent and the zygote
alone. Through it the agent names the outputs to mind. When all three are killed, the outputs are left to the agent's
next start.
"""

import contextlib
import json
import os
import signal
import time
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from device.hal.hardware import Hardware

# How long the kernel may take to end workers with a hold on a line. A line busy for longer belongs to the next agent.
# In seconds.
PATIENCE = 5.0
_AGAIN = 0.02


class Orders:
    """The agent's end of the pipe to one guardian; `fds` are for the zygote about to be made."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    @property
    def fds(self) -> tuple[int, int]:
        """Both ends: the guardian reads the first, the zygote holds the second."""
        return self._read, self._write

    @contextlib.contextmanager
    def passing(self) -> Generator[None]:
        """The zygote is made within, and then has them; if making it fails, the pipe is gone."""
        try:
            yield
        except BaseException:
            os.close(self._write)
            raise
        finally:
            os.close(self._read)

    def entrust(self, outputs: Mapping[str, bool]) -> None:
        """Have exactly these outputs driven to these levels. When the guardian is gone, the call has no effect."""
        with contextlib.suppress(OSError):
            os.write(self._write, json.dumps(dict(outputs)).encode() + b"\n")

    def close(self) -> None:
        """Tell the guardian that its work is done, in any case."""
        self.entrust({})
        os.close(self._write)


def fork(orders: int, held: tuple[int, ...], hardware: "Hardware") -> None:
    """Make the guardian: it reads `orders`, and lets go of `held`.

    Held open there, these would keep the pipe from its end, or the agent waiting.
    """
    if os.fork():
        os.close(orders)
        return
    try:
        # Signals for the zygote, by name, group or terminal, are meant for it alone.
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for fd in held:
            os.close(fd)
        rest(last(orders), hardware)
    finally:
        os._exit(0)


def last(orders: int) -> Mapping[str, bool]:
    """The last orders, at the end of the pipe."""
    outputs: Mapping[str, bool] = {}
    with os.fdopen(orders, "rb") as pipe:
        for line in pipe:
            # Half a line means that the agent died while writing it; the one before still holds.
            with contextlib.suppress(ValueError):
                outputs = json.loads(line)
    return outputs


def rest(outputs: Mapping[str, bool], hardware: "Hardware") -> None:
    """Drive them to their levels, each as soon as the last worker has let go of its line."""
    left = dict(outputs)
    until = time.monotonic() + PATIENCE
    while left and time.monotonic() < until:
        for pin, level in list(left.items()):
            with contextlib.suppress(Exception):
                hardware.rest(pin, level)
                del left[pin]
        if left:
            time.sleep(_AGAIN)
