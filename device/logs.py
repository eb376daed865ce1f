"""The agent's own log: to stderr, and as records of the `logs` stream with an empty function name.

Functions' logs go another way; the runtime emits them itself.
"""

import logging
import os
import sys
from collections.abc import Callable, Mapping

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# syslog(3).
_PRIORITIES = {"error": 3, "warning": 4, "info": 6, "debug": 7}

Emit = Callable[[str, str, Mapping[str, object]], None]


class RecordHandler(logging.Handler):
    """Turns log records into records of the outbox."""

    def __init__(self, emit: Emit) -> None:
        super().__init__(logging.INFO)
        self._emit = emit

    def emit(self, record: logging.LogRecord) -> None:
        """Emit one log record; a fault in it must not reach the code that logged."""
        try:
            text = record.getMessage()
        except Exception:
            # The arguments do not fit the text, or cannot be shown.
            text = str(record.msg)
        fields: dict[str, object] = {"function": "", "version": 0, "level": level(record.levelno), "text": text}
        self._emit("logs", "log", fields)


def to_stderr(debug: bool) -> None:
    """Set up the process's logging; with `debug` everything, otherwise from INFO on. In the journal's form for it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JournalFormatter() if _to_journal() else logging.Formatter(_FORMAT))
    logging.basicConfig(level=logging.DEBUG if debug else logging.INFO, handlers=[handler])


class JournalFormatter(logging.Formatter):
    """Each line with its level as systemd reads it (sd-daemon(3)); the journal has the time and the process."""

    def __init__(self) -> None:
        super().__init__("%(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Format the record; a traceback's lines have the level of their record."""
        prefix = f"<{_PRIORITIES[level(record.levelno)]}>"
        return "\n".join(prefix + each for each in super().format(record).splitlines() or [""])


def _to_journal() -> bool:
    """Whether standard error leads to the journal (systemd.exec(5), "JOURNAL_STREAM")."""
    try:
        there = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{there.st_dev}:{there.st_ino}"


def level(number: int) -> str:
    """The nearest of our four levels to one of the standard library's numbers."""
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warning"
    return "info" if number >= logging.INFO else "debug"
