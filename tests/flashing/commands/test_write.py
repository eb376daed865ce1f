"""`flash.py write` and `doctor`, with files that stand in for the disks that an lsblk tells of."""

import json
from pathlib import Path

import pytest

from tests.flashing.commands.conftest import MakeDisk, Run
from tests.flashing.conftest import MIB, MakeImage


def test_an_image_is_written_and_verified(run: Run, make_image: MakeImage, make_disk: MakeDisk) -> None:
    image, card = make_image(), make_disk("sdb")
    code, out, err = run("write", image, card, "--yes", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["card"] == str(card)
    assert card.read_bytes().startswith(image.read_bytes())


def test_the_only_card_is_found(run: Run, make_image: MakeImage, make_disk: MakeDisk) -> None:
    make_disk("sda", rm=False, mount="/")
    image, card = make_image(), make_disk("sdb")
    assert run("write", image, "--yes")[0] == 0
    assert card.read_bytes().startswith(image.read_bytes())


def test_two_cards_are_listed_and_neither_is_touched(run: Run, make_image: MakeImage, make_disk: MakeDisk) -> None:
    cards = [make_disk("sdb"), make_disk("sdc")]
    code, _, err = run("write", make_image(), "--yes")
    assert code == 2 and all(str(each) in err for each in cards)
    assert all(set(each.read_bytes()) == {0xEE} for each in cards)


@pytest.mark.parametrize(
    ("disk", "code", "words"),
    [
        ({"mount": "/"}, 5, "this system runs from it"),
        ({"mount": "/boot/firmware"}, 5, "this system runs from it"),
        ({"rm": False}, 5, "built in"),
        ({"mount": "/media/me/card"}, 5, "umount /media/me/card"),
        ({"size": 16 * MIB}, 5, "use a larger card"),
        ({"size": 0}, 5, "no card in it"),
    ],
)
def test_a_disk_that_is_refused_is_not_touched(
    run: Run, make_image: MakeImage, make_disk: MakeDisk, disk: dict[str, object], code: int, words: str
) -> None:
    card = make_disk("sdb", **disk)
    before = card.read_bytes()
    ended, out, err = run("write", make_image(), card, "--yes")
    assert (ended, out) == (code, "") and words in err
    assert card.read_bytes() == before


def test_nothing_is_lost_where_nobody_can_be_asked(run: Run, make_image: MakeImage, make_disk: MakeDisk) -> None:
    card = make_disk("sdb")
    code, _, err = run("write", make_image(), card)
    assert code == 2 and "would be lost" in err and set(card.read_bytes()) == {0xEE}


def test_a_file_that_is_no_image_is_not_written(run: Run, tmp_path: Path, make_disk: MakeDisk) -> None:
    card = make_disk("sdb")
    (tmp_path / "notes.txt").write_text("milk")
    code, _, err = run("write", tmp_path / "notes.txt", card, "--yes")
    assert code == 5 and "no card image" in err and set(card.read_bytes()) == {0xEE}


def test_the_doctor_finds_the_card_and_says_what_is_missing(run: Run, make_disk: MakeDisk) -> None:
    card = make_disk("sdb")
    code, out, _ = run("doctor", "--json", "--url", "http://127.0.0.1:1")
    found = {each["what"]: each for each in json.loads(out)["findings"]}
    assert str(card) in found["card"]["found"] and found["pyfatfs"]["ok"]
    assert code == 1 and "lamplight up" in found["shim"]["remedy"]
