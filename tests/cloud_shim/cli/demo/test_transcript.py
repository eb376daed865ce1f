"""A transcript of steps that hold, and of one that does not."""

import json

import pytest

from cloud_shim.cli.demo.transcript import Step, perform
from cloud_shim.cli.terminal import Terminal
from device.errors import LamplightError


def fail() -> str:
    raise LamplightError("the LED did not light", "it stayed dark")


def test_each_step_has_a_tick_its_time_and_its_remark(capsys):
    perform([Step("first", lambda: ""), Step("second one", lambda: "well")], Terminal())
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(" 1  first       ✓")
    assert second.endswith("s  well")


def test_a_step_that_does_not_hold_is_named_and_ends_it(capsys):
    steps = [Step("first", lambda: ""), Step("second", fail), Step("third", lambda: "")]
    with pytest.raises(LamplightError, match="Step 2 failed: second"):
        perform(steps, Terminal(as_json=True))
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["step"], each["ok"]) for each in told] == [(1, True), (2, False)]
    assert told[1]["remark"] == "the LED did not light"
