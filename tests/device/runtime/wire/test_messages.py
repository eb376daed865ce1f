"""What a worker says, checked field by field."""

import pytest

from device.protocol.errors import ProtocolError
from device.runtime.wire import messages
from device.runtime.wire.messages import Assignment, Failure, Log, Publish, Ready, Result, said


@pytest.mark.parametrize(
    "value",
    [Result({"a": 1}, {"led": True}, 1.5), Failure("memory", "full"), Log("info", "x"), Publish("t", [1])],
    ids=["result", "failure", "log", "publish"],
)
def test_what_is_said_is_understood(value):
    assert said(value.message()) == value


def test_an_assignment_arrives_as_it_was_sent():
    bounds, lists = (5, 6, 7, False), (["led"], [], ["light"], ["i2c"], ["/inbox"], {"m": "/m"})
    sent = Assignment(
        "f", 1, "/b", "/s", "main", "handler", *bounds, *lists, "/k", 1, 9, ["", ""], "/l", {"a": 1}, {"path": "/b"}
    )
    assert messages.assignment(sent.message()) == sent


def test_a_bare_word_is_understood():
    assert said(messages.READY) == Ready()


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"is": 7},
        {"is": "result", "pins": None, "ms": 1},
        {"is": "result", "pins": {"led": 1}, "ms": 1},
        {"is": "result", "pins": {}, "ms": "fast"},
        {"is": "result", "pins": {}, "ms": 10**400},
        {"is": "failure", "kind": "mood", "text": ""},
        {"is": "failure", "kind": "memory", "text": None},
        {"is": "log", "level": "info", "text": ["x"]},
        {"is": "publish", "topic": 1, "data": 1},
    ],
    ids=str,
)
def test_a_lie_is_refused(message):
    with pytest.raises(ProtocolError):
        said(message)
