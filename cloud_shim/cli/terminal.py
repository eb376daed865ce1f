"""The output of a command, for a person or a program: data on stdout, progress on stderr.

With --json, data is JSON, one document per answer or one per line of a stream. Colours and progress only appear on a
terminal; NO_COLOR is honoured. The contents are made elsewhere: lines in lines.py, tables in the commands.
"""

import json
import sys
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TextIO

from device.errors import LamplightError

if TYPE_CHECKING:
    from rich.console import Console

# A line in pieces, each with a style of rich's, or "".
Line = Sequence[tuple[str, str]]
_CLEAR = "\r\x1b[K"  # ECMA-48: back to the line's start, erase to its end


class Terminal:
    """Standard output and standard error of one command. `as_json` is the option --json."""

    def __init__(self, as_json: bool = False) -> None:
        self.as_json = as_json
        self._unfinished = False

    def data(self, value: object, human: Line | None = None) -> None:
        """One answer or one item of a stream: as a line of JSON, or as the line for people."""
        if self.as_json:
            _write(sys.stdout, _json(value, sys.stdout))
        elif human is not None:
            self._show(self._out, human)

    def table(self, value: object, rows: Sequence[Sequence[str]], headings: Sequence[str] = ()) -> None:
        """One answer: as JSON, or as aligned columns. `rows` are plain text."""
        if self.as_json:
            self.data(value)
            return
        _write(sys.stdout, self._aligned(rows, headings))

    def listing(self, rows: Sequence[Sequence[str]], headings: Sequence[str]) -> None:
        """Aligned columns beside the command's answer, on stderr; left out with --json."""
        if not self.as_json:
            _write(sys.stderr, self._aligned(rows, headings))

    def _aligned(self, rows: Sequence[Sequence[str]], headings: Sequence[str]) -> str:
        from rich.table import Table

        columns = headings or [""] * max(map(len, rows), default=0)
        table = Table(*columns, box=None, pad_edge=False, header_style="dim", show_header=bool(headings))
        for row in rows:
            table.add_row(*map(harmless, row))
        with self._out.capture() as drawn:
            self._out.print(table)
        # Cells are filled up to the longest. At a line's end the filling is cut: it only harms pipes and wrapped lines.
        return "".join(f"{line.rstrip()}\n" for line in drawn.get().splitlines())

    def say(self, *pieces: tuple[str, str] | str) -> None:
        """A line of progress for people, on stderr; left out with --json."""
        if not self.as_json:
            self._show(self._err, [(each, "") if isinstance(each, str) else each for each in pieces])

    @property
    def watched(self) -> bool:
        """Whether a person watches and would see `transient` progress."""
        return not self.as_json and sys.stderr.isatty()

    def transient(self, text: str) -> None:
        """Progress in a line to be overwritten by the next; only where a person watches."""
        if self.watched:
            _write(sys.stderr, f"{_CLEAR}{harmless(text)}")
            self._unfinished = True

    def error(self, error: LamplightError) -> None:
        """The error, on stderr: a sentence for people, the API's form of an error with --json."""
        if self.as_json:
            told = {"what": error.what, "why": error.why, "remedy": error.remedy, "exit_code": error.exit_code}
            _write(sys.stderr, _json({"error": told}, sys.stderr))
        else:
            self._show(self._err, [("error: ", "bold red"), (describe(error), "")])

    @cached_property
    def _out(self) -> "Console":
        return _console(sys.stdout)

    @cached_property
    def _err(self) -> "Console":
        return _console(sys.stderr)

    def _show(self, console: "Console", line: Line) -> None:
        from rich.text import Text

        if self._unfinished:
            _write(sys.stderr, _CLEAR)
            self._unfinished = False
        console.print(Text.assemble(*((harmless(text), style) for text, style in line)), soft_wrap=True)


def harmless(text: str) -> str:
    """The text without control characters but tabs and ends of lines: a device's words must not drive a terminal."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in "\n\t" else "\N{REPLACEMENT CHARACTER}" for each in text)


def describe(error: LamplightError) -> str:
    """The error in the form "what. why. try: remedy", also for a remedy written as a sentence of its own."""
    told = [part.strip().rstrip(".") for part in (error.what, error.why) if part.strip()]
    if error.remedy:
        told.append(f"try: {_continued(error.remedy)}")
    return ". ".join(told)


def _continued(sentence: str) -> str:
    """`sentence` as it stands after a colon: a first word such as "Deploy" in lower case, "ONNX" as it is."""
    return sentence[:1].lower() + sentence[1:] if sentence[1:2].islower() else sentence


def _json(value: object, stream: TextIO) -> str:
    """A line of JSON; characters beyond a narrow encoding become escapes, so that a program never reads a "?"."""
    all_of_them = (stream.encoding or "utf-8").lower().replace("_", "-").startswith("utf")
    return json.dumps(value, ensure_ascii=not all_of_them) + "\n"


def _write(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()


def _console(stream: TextIO) -> "Console":
    from rich.console import Console

    class Raising(Console):
        """Raises the error of a closed pipe; rich's own answer is to leave the thread with SystemExit."""

        def on_broken_pipe(self) -> None:
            raise

    # A pipe has no width: a program's input is never wrapped or cut.
    return Raising(file=stream, highlight=False, markup=False, emoji=False, width=None if stream.isatty() else 10_000)
