"""Lines out of a pipe, whatever is written into it."""

import os

import pytest

from device.runtime.workers.logpipe import MAX_LINE, LogPipe


class Pipe:
    def __init__(self):
        read, self.write_end = os.pipe()
        os.set_blocking(read, False)
        self.lines = []
        self.log = LogPipe(read, self.lines.extend)

    def write(self, data):
        os.write(self.write_end, data)
        return self.log.read()


@pytest.fixture
def pipe():
    pipe = Pipe()
    yield pipe
    os.close(pipe.write_end)
    os.close(pipe.log.fileno())


def test_lines_are_put_together_from_pieces(pipe):
    pipe.write(b"on")
    assert pipe.lines == []
    pipe.write(b"e\ntwo\nthr")
    assert pipe.lines == ["one", "two"]


def test_nothing_written_is_not_the_end(pipe):
    assert pipe.log.read() is True


def test_a_line_without_end_is_given_once_and_its_remainder_skipped(pipe):
    for _ in range(5):
        pipe.write(b"x" * 1500)
    pipe.write(b"end of it\nnext\n")
    assert pipe.lines == ["x" * MAX_LINE, "next"]


def test_bytes_that_are_no_text_are_replaced(pipe):
    pipe.write(b"\xff\xfe\x00\n")
    assert pipe.lines == ["\ufffd\ufffd\x00"]


def test_closing_gives_the_last_line_without_its_end():
    pipe = Pipe()
    os.write(pipe.write_end, b"first\nlast words")
    os.close(pipe.write_end)
    pipe.log.close()
    assert pipe.lines == ["first", "last words"]


@pytest.mark.parametrize(
    "pieces",
    [
        [b"10%\r 50%\r100%\ndone\n"],
        [b"10%\r", b" 50%\r", b"100%\n", b"done\n"],
        [b"\r10%", b"\r 50%", b"\r100%", b"\r\ndone\r\n"],
        [b"10%\r\r 50%\r100%\r", b"\ndone\n"],
    ],
)
def test_a_carriage_return_ends_a_line_however_the_bytes_fall(pipe, pieces):
    for piece in pieces:
        pipe.write(piece)
    assert pipe.lines == ["10%", " 50%", "100%", "done"]


def test_an_empty_line_is_one_with_either_end(pipe):
    pipe.write(b"one\n\ntwo\r\n\r\nthree\n")
    assert pipe.lines == ["one", "", "two", "", "three"]


def test_carriage_returns_without_end_take_no_memory(pipe):
    for _ in range(10):
        pipe.write(b"\r" * 50_000)
    pipe.write(b"after\n")
    assert pipe.lines == ["after"]
