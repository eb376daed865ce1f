"""The function's log, as the standard library's `logging` has it: `context.log`, and the root of all other loggers.

Runs in the worker. Each line goes to the agent with its level; the agent bounds and records it.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from device.logs import level
from device.runtime.wire.messages import LEVELS, Log

Send = Callable[[dict[str, object]], None]
# Of one line, in characters; the agent shortens further.
MAX_TEXT = 8192
# A logger of the function's own, and the libraries' loggers with their names.
_OWN, _OTHERS = "%(message)s", "%(name)s: %(message)s"


class Sender(logging.Handler):
    """Sends each line to the function's log, with the nearest of our levels."""

    def __init__(self, send: Send, form: str | None) -> None:
        super().__init__()
        self._send = send
        if form:
            self.setFormatter(logging.Formatter(form))

    def emit(self, record: logging.LogRecord) -> None:
        """One line. Arguments that do not fit its text are told on standard error, as `logging` does everywhere."""
        try:
            text = self.format(record)
        except Exception:
            self.handleError(record)
        else:
            self._send(Log(level(record.levelno), text[:MAX_TEXT].encode(errors="replace").decode()).message())


class FunctionLog(logging.Logger):
    """The function's log: a `logging.Logger`. Lines go to the cloud with their level, in order.

    It has the methods of every logger: `debug`, `info`, `warning`, `error`, `critical`, `exception`, `log`, `setLevel`.
    Critical lines have the level `error` in the cloud.

    Examples:
        >>> context.log.info("%d lux", 12)
        >>> context.log.warning("the window is open")
        >>> logged()
        ['info: 12 lux', 'warning: the window is open']
    """

    def __init__(self, function: str, send: Send) -> None:
        super().__init__(function)
        self.addHandler(Sender(send, _OWN))

    def line(self, level: str, message: object, arguments: tuple[object, ...] = ()) -> None:
        """The older spelling of `log`, with the level as a word. Raises ValueError for an unknown one."""
        if level not in LEVELS:
            raise ValueError(f"there is no level {level!r}: a line is one of {', '.join(LEVELS)}")
        self.log(logging.getLevelNamesMapping()[level.upper()], message, *arguments)


def lead_here(send: Send) -> None:
    """Have the lines of all other loggers in this process sent, from INFO on, until the function configures them.

    The root logger has no handler, as in a fresh interpreter, so that `logging.basicConfig` works as it does there. Its
    lines keep their levels: those of standard error would lose them.
    """
    root = logging.getLogger()
    root.handlers.clear()
    root.setLevel(logging.INFO)
    # Where no handler is, `logging` uses this one.
    logging.lastResort = Sender(send, _OTHERS)  # pyright: ignore[reportAttributeAccessIssue]
    logging.basicConfig = partial(_configure, logging.basicConfig, send)


def _configure(plain: Callable[..., None], send: Send, **given: Any) -> None:
    """`logging.basicConfig`; where it would write to standard error, it sends the lines with their levels."""
    if given.keys().isdisjoint(("handlers", "stream", "filename")):
        given["handlers"] = [Sender(send, None if "format" in given else _OTHERS)]
    plain(**given)
