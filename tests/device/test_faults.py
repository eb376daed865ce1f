"""What triggers lack, from the agent to the doctor by a file."""

import json
from dataclasses import replace

import pytest

from device import durable, faults
from device.doctor import triggers
from device.generation import HeldFunction
from device.health import FunctionHealth, TriggerFault
from device.protocol.errors import ProtocolError

HEALTH = FunctionHealth(1, "a" * 64, "running", 0, 0, 0, 0, 0, "")
TAKEN = TriggerFault("http /lamp", "HTTP cannot be served", "stop what holds it")
IMPAIRED = replace(HEALTH, state="impaired", triggers=(TAKEN,))


def test_the_doctor_reads_what_the_agent_wrote_with_the_remedy(tmp_path):
    faults.FaultsFile(tmp_path).note({"lamp-api": IMPAIRED, "blink": HEALTH}, {})
    assert faults.read(tmp_path) == {"lamp-api": (TAKEN,), "blink": ()}
    found = triggers.triggers(tmp_path, agent_runs=True)
    assert (found["lamp-api"].status, found["lamp-api"].remedy) == ("fail", "stop what holds it")
    assert found["lamp-api"].found == "http /lamp does not work: HTTP cannot be served"
    assert found["blink"].status == "ok"


def test_a_held_function_is_named_to_the_doctor_with_its_reason_until_it_runs(tmp_path):
    file, held = faults.FaultsFile(tmp_path), HeldFunction(1, "a" * 64, "the board has no pin 'nose'")
    file.note({"blink": HEALTH}, {"lamp": held})
    found = triggers.triggers(tmp_path, agent_runs=True)
    assert (found["lamp"].status, found["blink"].status) == ("fail", "ok")
    assert found["lamp"].found == "the function does not run: the board has no pin 'nose'"
    assert "deploy a version" in found["lamp"].remedy
    file.note({"blink": HEALTH, "lamp": HEALTH}, {})
    assert triggers.triggers(tmp_path, agent_runs=True)["lamp"].status == "ok"


def test_it_is_written_when_it_changes_and_not_each_second(tmp_path, monkeypatch):
    file = faults.FaultsFile(tmp_path)
    written = []
    write = durable.write_file
    monkeypatch.setattr(durable, "write_file", lambda path, data: (written.append(data), write(path, data)))
    for health in (HEALTH, replace(HEALTH, events=9), IMPAIRED, IMPAIRED, HEALTH):
        file.note({"lamp-api": health}, {})
    assert [len(json.loads(each)["lamp-api"]) for each in written] == [0, 1, 0]


def test_a_disk_that_takes_nothing_costs_the_agent_nothing(tmp_path, caplog):
    faults.FaultsFile(tmp_path / "gone").note({"lamp-api": IMPAIRED}, {})
    assert "could not be written down" in caplog.text


def test_without_an_agent_or_its_word_there_is_nothing_to_say(tmp_path):
    assert triggers.triggers(tmp_path, agent_runs=False).status == "skip"
    assert triggers.triggers(tmp_path, agent_runs=True).status == "skip"
    faults.FaultsFile(tmp_path).note({}, {})
    assert triggers.triggers(tmp_path, agent_runs=True).status == "ok"


@pytest.mark.parametrize("text", ['{"f": 1}', '{"f": [{"trigger": "x"}]}', "[]"])
def test_a_file_in_another_form_is_said_to_be_so(tmp_path, text):
    (tmp_path / faults.NAME).write_text(text)
    with pytest.raises(ProtocolError):
        faults.read(tmp_path)


def test_a_fault_without_a_remedy_gets_one():
    assert "lamplight logs" in triggers.judge((TriggerFault("timer", "x"),)).remedy
