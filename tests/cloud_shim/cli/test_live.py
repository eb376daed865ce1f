"""What is shown of a stream, and how it ends."""

import pytest

from cloud_shim.cli import live
from cloud_shim.cli.client import Message
from cloud_shim.cli.live import Live
from cloud_shim.cli.terminal import Terminal
from device.errors import OfflineError

BASE = {"id": 1, "device": "desk-pi", "stream": "telemetry", "boot": "1-0", "seq": 1, "time": 0.0, "received": 1.0}
GONE = OfflineError("gone")
DECISION = {**BASE, "kind": "decision", "function": "night-light", "version": 1, "lux": 3.0, "pins": {"led": True}}
READING = {**BASE, "kind": "reading", "sensor": "light", "lux": 3.0, "saturated": False}


@pytest.fixture
def show(monkeypatch, capsys):
    """Shows these messages; gives standard output, standard error and how often the end was told."""

    def run(*messages, error=GONE):
        class Stream:
            def __init__(self, url):
                pass

            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

            def follow(self, device):
                yield from messages
                raise error

        ended = []
        monkeypatch.setattr(live, "Client", Stream)
        shown = Live("http://127.0.0.1:1", Terminal(), lambda: ended.append(1))
        shown.start().join()
        return (*capsys.readouterr(), len(ended))

    return run


def test_a_decision_is_shown_once_and_its_reading_not_again(show):
    out, _, _ = show(Message("record", READING, "1"), Message("record", DECISION, "2"))
    assert out.count("3.0 lux") == 1
    assert "● led  night-light v1" in out


def test_a_device_that_comes_and_goes_is_told_when_it_changes(show):
    states = [
        Message("device", {"name": "desk-pi", "online": online}, "") for online in (True, True, False, False, True)
    ]
    assert show(*states)[1] == "desk-pi is offline\ndesk-pi is online\n"


@pytest.mark.parametrize("error", [GONE, BrokenPipeError()])
def test_the_end_is_told_once(show, error):
    assert show(error=error)[2] == 1
