"""Which disks may be written to: decided from what lsblk tells, with every wrong one refused and told why."""

import json
from pathlib import Path
from typing import Any

import pytest

from device.errors import LamplightError, NotFoundError, RejectedError, UsageError
from flashing import disks
from flashing.disks import Disk

CARD = {
    "path": "/dev/sdb",
    "type": "disk",
    "size": 31_914_983_424,
    "rm": True,
    "hotplug": True,
    "ro": False,
    "tran": "usb",
    "vendor": "Generic ",
    "model": "STORAGE DEVICE",
    "mountpoints": [None],
}


def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *each: dict[str, Any]) -> list[Disk]:
    """The disks, when an lsblk says this."""
    (tmp_path / "answer.json").write_text(json.dumps({"blockdevices": each}))
    lsblk = tmp_path / "lsblk"
    lsblk.write_text(f"#!/bin/sh\ncat {tmp_path}/answer.json\n")
    lsblk.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return list(disks.disks())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"children": [{"mountpoints": ["/boot/efi"]}, {"mountpoints": ["/"]}]}, "this system runs from it"),
        (
            {"children": [{"mountpoints": [None], "children": [{"mountpoints": ["/home"]}]}]},
            "runs from it: it has /home",
        ),
        ({"children": [{"mountpoints": ["[SWAP]"]}]}, "this system runs from it"),
        ({"rm": False, "hotplug": False, "tran": "nvme"}, "built in"),
        ({"rm": False, "hotplug": False, "tran": "sata"}, "built in"),
        ({"rm": False, "hotplug": False, "tran": None}, "built in"),
        ({"size": 0}, "no card in it"),
        ({"ro": True}, "write-protected"),
        ({"type": "part"}, "no whole disk"),
        ({"type": "loop"}, "no whole disk"),
        ({"children": [{"mountpoints": ["/media/me/bootfs"]}]}, "in use at /media/me/bootfs"),
        ({"size": 1000}, "has 1,000 bytes, the image 2,000"),
    ],
)
def test_a_disk_that_is_no_free_card_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    (disk,) = told(monkeypatch, tmp_path, {**CARD, **change})
    with pytest.raises(RejectedError, match="is not written to") as caught:
        disks.refuse(disk, 2000)
    assert words in str(caught.value)


def test_a_card_in_a_reader_is_not_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (disk,) = told(monkeypatch, tmp_path, CARD)
    disks.refuse(disk, 2000)
    assert disk.title == "Generic STORAGE DEVICE, 31.9 GB"


def test_two_readers_are_listed_and_neither_is_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = told(monkeypatch, tmp_path, CARD, {**CARD, "path": "/dev/sdc"})
    with pytest.raises(UsageError, match=r"/dev/sdb.*/dev/sdc"):
        disks.only_reader(found)


def test_an_empty_reader_and_the_systems_disk_are_not_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    system = {**CARD, "path": "/dev/sda", "children": [{"mountpoints": ["/"]}]}
    found = told(monkeypatch, tmp_path, system, {**CARD, "path": "/dev/sdc", "size": 0}, CARD)
    assert disks.only_reader(found).path == "/dev/sdb"
    with pytest.raises(NotFoundError, match="No card"):
        disks.only_reader([each for each in found if each.path != "/dev/sdb"])


def test_built_in_memory_on_the_bus_of_cards_is_no_card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    emmc = {**CARD, "rm": False, "tran": "mmc"}
    paths = ["/dev/mmcblk0", "/dev/mmcblk0boot0", "/dev/mmcblk0boot1", "/dev/mmcblk1"]
    found = told(monkeypatch, tmp_path, *({**emmc, "path": path} for path in paths))
    assert disks.only_reader(found).path == "/dev/mmcblk1"
    with pytest.raises(RejectedError, match="built in"):
        disks.refuse(found[0], 2000)


def test_a_disk_that_is_not_there_is_answered_with_those_that_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = told(monkeypatch, tmp_path, CARD)
    with pytest.raises(NotFoundError, match=r"/dev/sdz.*/dev/sdb"):
        disks.find("/dev/sdz", found)


def test_a_link_to_a_disk_is_that_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    card = tmp_path / "card"
    card.touch()
    found = told(monkeypatch, tmp_path, {**CARD, "path": str(card)})
    (tmp_path / "by-id").symlink_to(card)
    assert disks.find(str(tmp_path / "by-id"), found).path == str(card)


@pytest.mark.parametrize("answer", ["exit 1", "echo no", "echo '{}'", "echo '{\"blockdevices\": [{}]}'"])
def test_an_lsblk_that_does_not_answer_is_told_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str) -> None:
    (tmp_path / "lsblk").write_text(f"#!/bin/sh\n{answer}\n")
    (tmp_path / "lsblk").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(LamplightError, match="cannot be seen"):
        disks.disks()


def test_a_machine_without_lsblk_is_told_another_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LamplightError, match=r"no `lsblk`.*Imager"):
        disks.disks()


def test_the_disks_of_this_machine_are_seen() -> None:
    assert all(each.path.startswith("/dev/") for each in disks.disks())
