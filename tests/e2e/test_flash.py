"""What a card needs comes from the running shim. What a board makes of it is test_enrolment.py's."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.e2e.conftest import DEVICE, Fleet
from tests.flashing.conftest import make_image, mtools, read, wheels

ROOT = Path(__file__).parents[2]
__all__ = ["make_image", "wheels"]


def flash(fleet: Fleet, name: str, base: Path, *more: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, str(ROOT / "flash.py"), "image", "--board", "raspberry-pi/4b", "--base", str(base)]
    rest = ["--name", name, "--broker", "lamp.local", "--no-tls", "--python", "3.13", *more]
    done = subprocess.run(
        [*line, *rest], capture_output=True, text=True, env={**os.environ, "LAMPLIGHT_URL": fleet.url, "NO_COLOR": "1"}
    )
    assert done.returncode == code, done.stderr
    return done


def test_a_card_has_what_lets_its_board_in_and_no_password(fleet: Fleet, make_image, wheels, tmp_path: Path) -> None:
    base = make_image()
    cards = [tmp_path / "card.img", tmp_path / "second.img"]
    flash(fleet, "shelf-pi", base, "-o", str(cards[0]))
    flash(fleet, "shelf-pi", base, "-o", str(cards[1]), "--no-token")
    assert json.loads(read(cards[0], "lamplight/roots/director-root.json"))["signed"]["_type"] == "root"
    assert "shelf-pi" not in [each["name"] for each in fleet.json("devices")["devices"]]
    names = [mtools("mdir", card, "-b", "::/lamplight").decode().split() for card in cards]
    assert all("::/lamplight/enrol" in each and "::/lamplight/password" not in each for each in names)
    assert ["::/lamplight/token" in each for each in names] == [True, False]
    assert (
        read(cards[0], "lamplight/enrol") == (fleet.state / "cloud" / "broker" / "enrol.password").read_text().strip()
    )


def test_a_card_for_a_device_that_there_is_needs_to_be_meant(fleet: Fleet, make_image, wheels, tmp_path: Path) -> None:
    card = tmp_path / "card.img"
    assert f"{DEVICE} already" in flash(fleet, DEVICE, make_image(), "-o", str(card), code=5).stderr
    assert not card.exists()
    flash(fleet, DEVICE, make_image(), "-o", str(card), "--again")
    assert card.exists()
