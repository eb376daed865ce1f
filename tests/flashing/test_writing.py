"""An image written to a file that stands in for a card, through the path that a real one takes."""

import errno
import hashlib
import os
from pathlib import Path

import pytest

from device.errors import BadArtifactError, LamplightError, NotFoundError, RejectedError
from flashing import writing
from tests.flashing.conftest import MIB, MakeImage


@pytest.fixture
def image(make_image: MakeImage) -> Path:
    return make_image()


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A card with an old system on it, larger than the image."""
    path = tmp_path / "card"
    path.write_bytes(b"\xee" * (64 * MIB))
    return path


def test_the_card_holds_the_image_and_keeps_what_is_behind_it(image: Path, card: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    digest = writing.write(image, card, lambda *each: seen.append(each))
    data, size = card.read_bytes(), image.stat().st_size
    assert data[:size] == image.read_bytes() and set(data[size:]) == {0xEE}
    assert digest == hashlib.sha256(image.read_bytes()).hexdigest()
    assert [what for what, done, _ in seen if done == size] == ["writing", "verifying"]
    for phase in ("writing", "verifying"):
        steps = [done for what, done, _ in seen if what == phase]
        assert steps == sorted(steps)


def test_an_interrupt_says_that_the_card_is_not_usable_and_it_is_visibly_none(image: Path, card: Path) -> None:
    def interrupt(what: str, done: int, _: int) -> None:
        if done > 8 * MIB:
            raise KeyboardInterrupt

    with pytest.raises(LamplightError, match="not usable as it is"):
        writing.write(image, card, interrupt)
    # Neither the old system's table nor the new one's.
    assert card.read_bytes()[:512] == bytes(512)


def test_a_card_that_gives_back_other_bytes_is_found_out(image: Path, card: Path) -> None:
    def spoil(what: str, done: int, size: int) -> None:
        if (what, done) == ("writing", size):
            with card.open("r+b") as file:
                file.seek(10 * MIB)
                file.write(b"spoilt")

    with pytest.raises(LamplightError, match="does not hold what was written"):
        writing.write(image, card, spoil)


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.EIO, LamplightError, "pulled out"),
        (errno.ENODEV, LamplightError, "pulled out"),
        (errno.ENOSPC, LamplightError, "full"),
        (errno.EBUSY, RejectedError, "in use"),
        (errno.EACCES, RejectedError, "may not be written"),
    ],
)
def test_what_the_kernel_says_of_a_card_is_explained(
    monkeypatch: pytest.MonkeyPatch, image: Path, card: Path, number: int, kind: type[LamplightError], words: str
) -> None:
    real, calls = os.pwrite, []

    def fail(descriptor: int, data: memoryview, at: int) -> int:
        calls.append(at)
        if len(calls) > 3:
            raise OSError(number, os.strerror(number))
        return real(descriptor, data, at)

    monkeypatch.setattr(os, "pwrite", fail)
    with pytest.raises(kind, match=words):
        writing.write(image, card, lambda *_: None)


def test_a_card_that_takes_a_part_of_each_write_gets_the_rest(
    monkeypatch: pytest.MonkeyPatch, image: Path, card: Path
) -> None:
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda descriptor, data, at: real(descriptor, data[: MIB + 7], at))
    writing.write(image, card, lambda *_: None)
    assert card.read_bytes().startswith(image.read_bytes())


def test_a_full_stand_in_for_a_device_is_told_of(image: Path) -> None:
    with pytest.raises(LamplightError, match="full"):
        writing.write(image, Path("/dev/full"), lambda *_: None)


def test_a_card_that_is_gone_before_the_first_byte(image: Path, tmp_path: Path) -> None:
    with pytest.raises(LamplightError, match="pulled out"):
        writing.write(image, tmp_path / "gone", lambda *_: None)


def test_a_truncated_image_is_not_written(image: Path) -> None:
    with image.open("r+b") as file:
        file.truncate(MIB)
    with pytest.raises(BadArtifactError, match="truncated"):
        writing.check_image(image)


def test_an_image_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no image"):
        writing.check_image(tmp_path / "no.img")
