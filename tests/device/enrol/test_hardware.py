"""What a copied card cannot share, and what a restart keeps."""

import shutil

from device.enrol import displacement, hardware
from device.enrol.displacement import Displacement
from device.protocol.enrolment import DISPLACED, KEPT, Answer


def machine(folder, serial="", id="m1"):
    (folder / "etc").mkdir(parents=True)
    (folder / "etc/machine-id").write_text(id)
    if serial:
        (folder / "proc/device-tree").mkdir(parents=True)
        (folder / "proc/device-tree/serial-number").write_text(serial + "\0")
    return folder


def test_a_copied_card_in_another_board_has_another_name_and_the_same_board_keeps_its_own(tmp_path):
    one, two = machine(tmp_path / "one", "1000"), machine(tmp_path / "two", "2000")
    names = [hardware.name(tmp_path, root) for root in (one, two, one)]
    assert names[0] == names[2] != names[1]
    assert [each.split("/")[0] for each in names] == ["1000", "2000", "1000"]


def test_a_copied_folder_on_one_machine_has_another_name(tmp_path):
    root = machine(tmp_path / "root")
    (tmp_path / "state").mkdir()
    shutil.copytree(tmp_path / "state", tmp_path / "copy")
    assert hardware.name(tmp_path / "state", root) != hardware.name(tmp_path / "copy", root)
    assert hardware.name(tmp_path / "state", root).startswith("-/")


def test_the_displaced_board_gives_way_says_why_and_tells_doctor_until_it_is_the_device_again(tmp_path, caplog):
    gave_way = []
    board = Displacement(tmp_path, lambda: gave_way.append(True))
    assert board.answered(Answer(DISPLACED, "the board 1000/aa is desk-pi"))
    assert board.answered(Answer(DISPLACED, "the board 1000/aa is desk-pi"))
    assert gave_way == [True, True]
    assert caplog.text.count("Another board has this one's name: the board 1000/aa is desk-pi") == 1
    assert displacement.reason(tmp_path) == "the board 1000/aa is desk-pi"
    assert not board.answered(Answer(KEPT))
    assert displacement.reason(tmp_path) == ""
