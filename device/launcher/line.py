"""The line between launcher and agent: a socket held by these two alone, one JSON object a line.

    launcher → agent   its knowledge (`told`), at the start and after each change; the end of the line is its death
    agent → launcher   {"ask": version, "note": {…}}   start this version next, on trial
                       {"proved": version}             this version, on trial, works
                       {"waits": why}                  why its proof is not complete yet
                       {"alive": true}                 its main loop goes round
                       {"fresh": true}                 something new is to run: forget failed starts, and safe mode

The agent ends with SWITCH when its request was granted. The decisions are the launcher's.
"""

import json
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from device.errors import LamplightError
from device.launcher.ledger import BUILT_IN, MAX_FAILED, Failure, Ledger, Note
from device.protocol.errors import ProtocolError
from device.protocol.fields import table, text

# The exit code with which the agent says: start the version I asked for.
SWITCH = 10
# Where the agent finds its end of the line: the number of a file descriptor.
VARIABLE = "LAMPLIGHT_LAUNCHER"
# The longest line for the launcher, and for the agent: it is told the notes of every failed version.
MAX_LINE = 64 * 1024
MAX_TOLD = 2 * MAX_FAILED * MAX_LINE
ANSWER_TIMEOUT = 30.0

_log = logging.getLogger(__name__)


def told(ledger: Ledger, running: str, refused: str = "", safe: str = "") -> dict[str, object]:
    """The launcher's message to the agent of version `running`.

    `refused` says why its request was refused, `safe` why it is to start no functions.
    """
    on_trial = ledger.trial if ledger.trial and ledger.trial.version == running else None
    return {
        "format": 1,
        "running": running,
        "trial": on_trial is not None,
        "note": on_trial.note if on_trial else {},
        "next": ledger.running,
        "fallback": ledger.fallback,
        "failed": {version: each._asdict() for version, each in ledger.failed.items()},
        "lost": ledger.lost,
        "refused": refused,
        "safe": safe,
    }


@dataclass(frozen=True)
class Told:
    """The launcher's last message. `running` is this version, `fallback` the one kept to go back to (None: none).

    `note` is the trial's, `next` the version to start next, `failed` by version; `lost`, `refused` and `safe` (safe
    mode) are reasons.
    """

    running: str = BUILT_IN
    trial: bool = False
    note: Note = field(default_factory=dict[str, object])
    next: str = BUILT_IN
    fallback: str | None = None
    failed: Mapping[str, Failure] = field(default_factory=dict[str, Failure])
    lost: str = ""
    refused: str = ""
    safe: str = ""


def read(line: bytes) -> Told:
    """The launcher's line; raises ProtocolError. Fields unknown to this version are passed over."""
    fields = parse(line)
    failed = table(fields.get("failed"), "told.failed")
    fallback = fields.get("fallback")
    return Told(
        running=text(fields, "running", "told"),
        trial=fields.get("trial") is True,
        note=table(fields.get("note"), "told.note"),
        next=text(fields, "next", "told"),
        fallback=fallback if isinstance(fallback, str) else None,
        failed={version: _failure(each) for version, each in failed.items()},
        lost=text(fields, "lost", "told", ""),
        refused=text(fields, "refused", "told", ""),
        safe=text(fields, "safe", "told", ""),
    )


def parse(line: bytes) -> dict[str, object]:
    """The JSON object in a line; raises ProtocolError."""
    try:
        return table(json.loads(line), "line")
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"line: {error}") from None


def encode(fields: Mapping[str, object]) -> bytes:
    """`fields` as one line."""
    return json.dumps(fields).encode() + b"\n"


def split(buffer: bytearray) -> Iterator[bytes]:
    """The whole lines in `buffer`, taken out of it; bytes too long for a line are dropped."""
    while (end := buffer.find(b"\n")) >= 0:
        yield bytes(buffer[:end])
        del buffer[: end + 1]
    if len(buffer) > MAX_LINE:
        buffer.clear()


class Line:
    """The agent's end. Without a launcher it is the built-in version, on no trial, and its requests are refused.

    `changed` is called, on a thread of the line, whenever the launcher said something; `orphaned` when it is gone.
    """

    def __init__(self, end: socket.socket | None) -> None:
        self.told = Told()
        self._end = end
        self._lines = end.makefile("rb") if end else None
        self._said = threading.Condition()
        if self._lines is not None:
            self._hear(self._lines.readline(MAX_TOLD))

    def listen(self, changed: Callable[[], None], orphaned: Callable[[], None]) -> None:
        """Begin to hear the launcher."""
        threading.Thread(target=self._listen, args=(changed, orphaned), name="launcher", daemon=True).start()

    def proved(self) -> None:
        """This version works: say so until the launcher has written it down."""
        self._say({"proved": self.told.running})

    def waits(self, why: str) -> None:
        """This version is still to prove itself: the reason to be told if it never does."""
        self._say({"waits": why})

    def alive(self) -> None:
        """The agent's main loop goes round."""
        self._say({"alive": True})

    def begin_afresh(self) -> None:
        """Something new is to run: failed starts are forgotten, and safe mode is over when this returns.

        Raises LamplightError when the launcher could not write this down.
        """
        with self._said:
            self.told = replace(self.told, refused="")
            self._say({"fresh": True})
            if self.told.safe:
                self._said.wait_for(lambda: not self.told.safe or self.told.refused, ANSWER_TIMEOUT)
            if self.told.safe:
                why = self.told.refused or f"no answer within {ANSWER_TIMEOUT:.0f} s"
                raise LamplightError("The board stays in safe mode", why)

    def ask(self, version: str, note: Note) -> None:
        """Have `version` started next, on trial, and return when the launcher has written it down.

        Raises LamplightError when it has not: all stays as it was then.
        """
        if self._end is None:
            raise LamplightError(
                "The agent cannot be replaced", "it was not started by the launcher", "Use `python -m device.launcher`"
            )
        with self._said:
            self.told = replace(self.told, refused="")
            self._say({"ask": version, "note": dict(note)})
            answered = self._said.wait_for(lambda: self.told.next == version or self.told.refused, ANSWER_TIMEOUT)
            if self.told.next != version:
                why = self.told.refused if answered else f"no answer within {ANSWER_TIMEOUT:.0f} s"
                raise LamplightError("The launcher did not take the new version of the agent", why)

    def _say(self, fields: Mapping[str, object]) -> None:
        if self._end is not None:
            try:
                self._end.sendall(encode(fields))
            except OSError as error:
                _log.warning("The launcher does not listen: %s", error)

    def _listen(self, changed: Callable[[], None], orphaned: Callable[[], None]) -> None:
        while self._lines is not None:
            try:
                line = self._lines.readline(MAX_TOLD)
            except OSError:
                line = b""
            if not line:
                orphaned()
                return
            self._hear(line)
            changed()

    def _hear(self, line: bytes) -> None:
        try:
            with self._said:
                self.told = read(line)
                self._said.notify_all()
        except ProtocolError as error:
            _log.warning("The launcher said something that is not understood: %s", error)


def from_environment() -> Line:
    """The agent's end of the line: the launcher left it in the environment, and here it is taken out."""
    number = os.environ.pop(VARIABLE, "")
    if not number.isdecimal():
        return Line(None)
    try:
        end = socket.socket(fileno=int(number))
        end.set_inheritable(False)
        return Line(end)
    except OSError as error:
        _log.warning("The line to the launcher is not there: %s", error)
        return Line(None)


def _failure(value: object) -> Failure:
    fields = table(value, "told.failed")
    return Failure(text(fields, "reason", "told.failed"), table(fields.get("note"), "told.failed.note"))
