"""The slots' file after a failed write: what may be on disk is not forgotten until it is known."""

import json

import pytest

from device.protocol.errors import ProtocolError
from device.update import slots
from device.update.slots import Slots
from device.update.slots_file import SlotsFile
from tests.device.update.test_slots import committed, deployment

ONE = committed(Slots(), 1)
TWO = slots.begin_trial(ONE, deployment(2))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "slots.json"


@pytest.fixture
def file(path):
    made = SlotsFile(path)
    made.save(ONE)
    return made


@pytest.fixture
def full_disk(monkeypatch):
    """Refuses every write until it is told otherwise."""
    allowed = slots.save

    def refuse(*_):
        raise OSError("no space left")

    monkeypatch.setattr(slots, "save", refuse)
    return lambda: monkeypatch.setattr(slots, "save", allowed)


def on_disk(path):
    return slots.load(path).running.generation


def test_what_was_saved_is_believed_by_the_next_start(file, path):
    assert file.slots is ONE
    again = SlotsFile(path)
    assert again.load().running.generation == again.slots.running.generation == 1
    assert (again.digests(), again.functions()) == (ONE.digests(), {"lamp"})


def test_the_same_again_is_not_written(file, path, full_disk):
    file.save(ONE)
    file.settle(ONE)
    file.repair()


def test_a_refused_write_leaves_what_is_believed_and_keeps_the_artifacts_of_both(file, full_disk):
    with pytest.raises(OSError, match="no space"):
        file.save(TWO)
    assert file.slots is ONE
    assert file.digests() == TWO.digests() != ONE.digests()


def test_what_must_be_believed_is_believed_in_spite_of_the_disk_and_written_later(file, path, full_disk):
    file.settle(TWO)
    assert file.slots is TWO
    assert on_disk(path) == 1
    with pytest.raises(OSError):
        file.repair()
    full_disk()
    file.repair()
    assert on_disk(path) == 2
    assert file.digests() == TWO.digests()


def test_back_to_what_was_on_disk_before_a_refused_write_is_written_again(file, path, full_disk):
    """The refused write may have reached the disk all the same."""
    file.settle(TWO)
    with pytest.raises(OSError):
        file.save(ONE)
    full_disk()
    file.save(ONE)
    assert (file.slots, on_disk(path)) == (ONE, 1)
    assert file.digests() == ONE.digests()


def test_a_damaged_file_leaves_an_empty_board_and_is_replaced(path):
    path.write_text("damaged")
    file = SlotsFile(path)
    with pytest.raises(ProtocolError, match="is damaged"):
        file.load()
    assert (file.slots, file.digests(), file.functions()) == (Slots(), set(), set())
    file.save(Slots())
    assert json.loads(path.read_text())["floor"] == 0
