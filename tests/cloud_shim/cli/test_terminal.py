"""What reaches standard output and standard error, for people, for programs, and on a terminal."""

import io
import json
import re
import sys

import pytest

from cloud_shim.cli.terminal import Terminal, describe
from device.errors import LamplightError


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def tty(monkeypatch):
    """Puts standard output and standard error on a terminal with colours, when it is called."""

    def put() -> tuple[Tty, Tty]:
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.delenv("NO_COLOR", raising=False)
        out, err = Tty(), Tty()
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        return out, err

    return put


def test_progress_never_reaches_standard_output(capsys):
    Terminal().say("working")
    assert capsys.readouterr() == ("", "working\n")


def test_json_has_no_progress_beside_it(capsys):
    terminal = Terminal(as_json=True)
    terminal.say("working")
    terminal.transient("50 %")
    terminal.data({"lamp": "ü"}, [("a lamp", "bold")])
    assert capsys.readouterr() == ('{"lamp": "ü"}\n', "")


def test_transient_progress_stays_away_from_a_pipe(capsys):
    Terminal().transient("50 %")
    assert capsys.readouterr() == ("", "")


def test_transient_progress_is_wiped_by_the_next_line(tty):
    out, err = tty()
    terminal = Terminal()
    terminal.transient("50 %")
    terminal.data(None, [("done", "")])
    assert err.getvalue() == "\r\x1b[K50 %\r\x1b[K"
    assert out.getvalue() == "done\n"


def test_there_is_colour_on_a_terminal_and_none_with_no_color(tty, monkeypatch):
    out, _ = tty()
    Terminal().data(None, [("on", "green")])
    assert out.getvalue() == "\x1b[32mon\x1b[0m\n"
    monkeypatch.setenv("NO_COLOR", "1")
    Terminal().data(None, [("off", "green")])
    assert out.getvalue().endswith("\noff\n")


def test_square_brackets_in_data_are_data(capsys):
    terminal = Terminal()
    terminal.data(None, [("[red]x[/red] :smile:", "")])
    terminal.table(None, [["[bold]a"]], ["[H]"])
    assert capsys.readouterr().out.split() == ["[red]x[/red]", ":smile:", "[H]", "[bold]a"]


def test_a_long_line_in_a_pipe_is_one_line(capsys):
    Terminal().data(None, [("word " * 100, "")])
    assert capsys.readouterr().out.count("\n") == 1


def test_an_empty_table_is_no_error(capsys):
    Terminal().table([], [])
    Terminal(as_json=True).table([], [])
    assert json.loads(capsys.readouterr().out.strip() or "null") == []


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (LamplightError("What."), "What"),
        (LamplightError("What", "why.", "this"), "What. why. try: this"),
        (LamplightError("What", "", "this"), "What. try: this"),
        (LamplightError("What", "", "Export it again"), "What. try: export it again"),
        (LamplightError("What", "", "ONNX 17"), "What. try: ONNX 17"),
    ],
)
def test_an_error_is_what_why_and_what_to_try(error, text):
    assert describe(error) == text


class Closed(io.StringIO):
    def flush(self) -> None:
        raise BrokenPipeError


def test_a_closed_pipe_is_raised_and_ends_no_thread_in_silence(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Closed())
    with pytest.raises(BrokenPipeError):
        Terminal().data(None, [("nobody reads this", "")])
    with pytest.raises(BrokenPipeError):
        Terminal(as_json=True).data({})


def test_no_line_of_a_table_ends_with_spaces(capsys):
    Terminal().table({}, [["a", "a very long cell"], ["b", "short"]], ["X", "Y"])
    lines = capsys.readouterr().out.splitlines()
    assert lines == [line.rstrip() for line in lines]
    assert len(lines) == 3


def test_nothing_that_a_device_says_drives_the_terminal(tty):
    out, err = tty()
    evil = "a\x1b]0;owned\x07\x9b2J\x1b[2Jb\n\tc"
    terminal = Terminal()
    terminal.error(LamplightError(evil, evil, evil))
    terminal.say(evil)
    terminal.transient(evil)
    terminal.data(None, [(evil, "red")])
    terminal.table(None, [[evil]])
    written = out.getvalue() + err.getvalue()
    assert "\x9b" not in written and "\x07" not in written
    # What is left are rich's own colours, and the line that progress wipes.
    assert not re.search(r"\x1b(?!\[[0-9;]*m|\[K)", written)
    assert "a\N{REPLACEMENT CHARACTER}]0;owned" in written
