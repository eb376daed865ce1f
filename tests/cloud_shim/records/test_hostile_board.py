"""A board that was taken over says anything at all: what the shim keeps of it can be shown, beside all other boards."""

import copy
import json
import time

import pytest

from cloud_shim.cli import lines, outcome
from cloud_shim.cli.commands import devices, status
from cloud_shim.console import view
from cloud_shim.records import recording
from device.protocol import messages, reported
from device.protocol.errors import ProtocolError
from device.protocol.messages import Batch
from tests import samples

ANYTHING = [None, 5, -1, 1.5, 1e300, 10**400, "x", "", "\x1b[2J", True, [], [1], {}, {"a": 1}, {"\x1b[2J": []}]
DESIRED = {
    "generation": 8,
    "functions": {"night-light": {"version": 3, "config": {}}},
    "models": {"presence": {"version": 1}},
    "agent": None,
}


def places(value, path=()):
    """The path to each value in nested tables."""
    for key in value if isinstance(value, dict) else ():
        yield (*path, key)
        yield from places(value[key], (*path, key))


def without(root, path):
    changed = copy.deepcopy(root)
    *way, last = path
    inner = changed
    for key in way:
        inner = inner[key]
    return changed, inner, last


def mutations(root):
    """`root` with each of its values taken away, and replaced by anything."""
    for path in places(root):
        changed, inner, last = without(root, path)
        del inner[last]
        yield changed
        for value in ANYTHING:
            changed, inner, last = without(root, path)
            inner[last] = value
            yield changed


def show(report):
    """Everything that people see of a report."""
    device = samples.device("pi", DESIRED, report)
    told = [*status.rows(device, time.time()), devices.row(device, time.time())]
    assert all(each.isprintable() for row in told for cell in row for each in cell.splitlines())
    view.device(device, time.time())
    outcome.judge(device, 8)


def test_whatever_report_is_kept_can_be_shown():
    kept = refused = 0
    for mutated in mutations(samples.report()):
        try:
            report = messages.decode(json.dumps(mutated).encode(), "reported")
            reported.parse(report).outcomes()
        except ProtocolError:
            refused += 1
            continue
        kept += 1
        show(report)
    assert kept > 100 and refused > 100


@pytest.mark.parametrize("sample", samples.records(), ids=lambda sample: sample["kind"])
def test_whatever_record_is_kept_can_be_shown(sample):
    shown = 0
    for mutated in mutations(sample):
        try:
            batch = messages.batch(json.dumps({"boot": "1-0123abcd", "records": [mutated]}).encode())
            rows = recording.rows("pi", "events", batch, 2.0)
        except ProtocolError:
            continue
        for row in rows:
            record = json.loads(row.body)
            assert "".join(text for text, _ in lines.record(record)).isprintable()
            recording.outcome_of_record(row)
            shown += 1
    assert shown > 5


def test_what_cannot_be_shown_is_left_out_and_its_neighbours_are_kept():
    batch = Batch("1-0123abcd", [samples.log(1), {"seq": 2, "time": 1.0, "kind": "publish"}, samples.log(3)])
    assert [row.seq for row in recording.rows("pi", "logs", batch, 2.0)] == [1, 3]
