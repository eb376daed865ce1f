"""What a copied card cannot share, and what a restart keeps."""

import shutil

from device.enrol import hardware


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


def test_the_first_run_on_a_board_is_noted_and_a_copy_begins_anew(tmp_path):
    assert hardware.first_run(tmp_path, "1000/aa", 5) == 0
    assert hardware.first_run(tmp_path, "1000/aa", 6) == 0
    assert hardware.first_run(tmp_path, "2000/bb", 7) == 7
    assert hardware.first_run(tmp_path, "2000/bb", 8) == 7


def test_a_damaged_note_of_the_board_takes_no_earlier_run_for_its_own(tmp_path):
    for damage in (b"", b"[]", b'{"hardware": "2000/bb", "run": "x"}'):
        (tmp_path / "board.json").write_bytes(damage)
        assert hardware.first_run(tmp_path, "2000/bb", 7) == 7
