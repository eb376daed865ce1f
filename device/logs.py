"""The agent's own log: to stderr, and as records of the `logs` stream with an empty function name.

Functions' logs do not pass here; the runtime emits them itself.
"""

import logging
import sys
from collections.abc import Callable, Mapping

Emit = Callable[[str, str, Mapping[str, object]], None]


class RecordHandler(logging.Handler):
    """Turns log records into records of the outbox."""

    def __init__(self, emit: Emit) -> None:
        super().__init__(logging.INFO)
        self._emit = emit

    def emit(self, record: logging.LogRecord) -> None:
        """One log record; a fault in it must not reach whoever logged."""
        try:
            text = record.getMessage()
        except Exception:
            # Arguments that do not fit the text, or that cannot be shown.
            text = str(record.msg)
        fields: dict[str, object] = {"function": "", "version": 0, "level": level(record.levelno), "text": text}
        self._emit("logs", "log", fields)


def to_stderr(debug: bool) -> None:
    """Set up the process's logging; with `debug` everything, otherwise from INFO on."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if debug else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )


def level(number: int) -> str:
    """The nearest of our four levels to one of the standard library's numbers."""
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warning"
    return "info" if number >= logging.INFO else "debug"
