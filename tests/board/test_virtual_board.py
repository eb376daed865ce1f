"""A Raspberry Pi 3B from a blank card to a lamp that obeys: real kernel, real I2C, real GPIO controller, real broker.

The tests share one board, and each finds it on and online.
"""

import math
import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.board.board import KIND, NAME, PATIENCE, Board
from tests.board.conftest import deploy
from tests.support import until

pytestmark = pytest.mark.board

MODEL = Path(__file__).parents[2] / "models" / "presence"
DARK, BRIGHT = 5.0, 320.0


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def follows_the_light(board: Board, inverted: bool = False) -> None:
    """Both ways, so that a lamp that stays as it is follows nothing."""
    for lux in (DARK, BRIGHT, DARK, BRIGHT):
        board.sensor.lux = lux
        board.led_becomes((lux == DARK) is not inverted)


def reported(board: Board, function: str = "night-light") -> dict[str, Any]:
    return board.home.device(NAME)["reported"]["functions"][function]


def test_the_first_boot_made_it_a_device_of_the_fleet(board: Board) -> None:
    said = board.home.device(NAME)["reported"]
    assert said["board"] == KIND
    assert said["sensors"] == {"light": {"ok": True, "error": ""}}
    assert said["platform"]["machine"] == "aarch64"
    shell = board.emulator.shell
    assert shell.run("systemctl is-enabled lamplight") == "enabled"
    assert shell.run("systemctl show -P User lamplight") == "lamplight"
    # Once installed, the card's FAT partition has no secret of the device.
    assert "password" not in shell.run("ls /boot/firmware/lamplight").split()


def test_blinka_knows_the_board_without_being_told(board: Board) -> None:
    code = "from adafruit_platformdetect import Detector; print(Detector().board.id)"
    said = board.emulator.shell.run(f"env -i PYTHONPATH=/opt/lamplight python3 -P -c '{code}'")
    assert said == "RASPBERRY_PI_3B"


def test_covered_is_on_and_uncovered_is_off(board: Board, night_light: Path) -> None:
    follows_the_light(board)


def test_inverted_code_inverts_the_led(board: Board, night_light: Path) -> None:
    edit(night_light / "main.py", "<", ">=")
    deploy(board, night_light)
    follows_the_light(board, inverted=True)


def test_without_a_broker_it_still_obeys_and_is_heard_again_afterwards(board: Board, night_light: Path) -> None:
    board.home.stop()
    follows_the_light(board)
    board.home.start()
    seen = reported(board)["events"]
    until(lambda: reported(board)["events"] > seen, "it is heard again", PATIENCE)
    assert reported(board)["state"] == "running"


def test_an_unplugged_sensor_is_told_and_leaves_the_lamp_safe_until_it_is_back(board: Board, night_light: Path) -> None:
    def light() -> dict[str, object]:
        return board.home.device(NAME)["reported"]["sensors"]["light"]

    board.sensor.lux = DARK
    board.led_becomes(True)
    board.sensor.plugged = False
    until(lambda: not light()["ok"], "the fault is reported", PATIENCE)
    assert "0x39" in str(light()["error"])
    # Not as the last reading left it: at its safe level.
    board.led_becomes(False)
    board.sensor.plugged = True
    until(lambda: light()["ok"], "it is well again", PATIENCE)
    follows_the_light(board)


def test_the_model_lights_the_lamp_for_someone_who_moves_in_the_dark(board: Board, tmp_path: Path) -> None:
    def someone_moves() -> bool:
        # Near the sensor, once in two seconds (models/presence/scenarios.py, "linger").
        board.sensor.lux = 50 * (1 + 0.08 * math.sin(math.pi * time.monotonic()))
        return board.led

    folder = tmp_path / "presence-light"
    board.home.run("new", "presence-light", str(folder))
    if "night-light" in board.home.device(NAME)["reported"]["functions"]:
        board.home.run("remove", f"{NAME}/night-light")
    board.sensor.lux = 50
    deploy(board, MODEL)
    deploy(board, folder)
    assert not board.led
    until(someone_moves, "the lamp is lit for someone who moves", PATIENCE)
    board.sensor.lux = 50
    board.led_becomes(False)
    assert reported(board, "presence-light")["errors"] == 0
    board.home.run("remove", f"{NAME}/presence-light")


@pytest.mark.parametrize("states", [("FETCHING", "STAGED"), ("TRIAL",)], ids=["while it is fetched", "on trial"])
def test_a_power_cut_in_the_middle_of_a_deployment(board: Board, night_light: Path, states: tuple[str, ...]) -> None:
    def is_there() -> bool:
        update = board.home.device(NAME)["reported"]["update"]
        return update["generation"] == wanted and update["state"] in states

    edit(night_light / "main.py", "<", ">=")
    # Enough to be a while on its way: noise, which no patch shortens. Other noise each time: what is there is not sent.
    (night_light / "weights.bin").write_bytes(random.Random(states[0]).randbytes(2_000_000))
    long = ("--trial-seconds", "30")
    board.home.run("deploy", str(night_light), "--device", NAME, "--no-wait", *long)
    wanted = board.home.device(NAME)["desired"]["generation"]
    until(is_there, f"the deployment is {states[0]}", PATIENCE)
    board.emulator.power_off()
    board.goes_offline()
    board.power_on()
    board.comes_online()
    until(lambda: board.home.device(NAME)["reported"]["generation"] == wanted, "the deployment goes on", PATIENCE)
    follows_the_light(board, inverted=True)


def test_without_network_in_1970_it_obeys_and_is_heard_when_the_cable_is_back(board: Board, night_light: Path) -> None:
    board.emulator.power_off()
    board.goes_offline()
    board.power_on("virtual.clock", network=False)
    board.sensor.lux = DARK
    board.led_becomes(True)
    follows_the_light(board)
    assert board.emulator.shell.run("date -u +%Y") == "1970"
    board.link(True)
    board.comes_online()


def test_the_wire_shows_no_secret(board: Board) -> None:
    shell = board.emulator.shell
    password = shell.run("cat /var/lib/lamplight/password")
    assert len(password) > 8
    assert len(board.home.wire.seen) > 100_000
    for secret in (password, NAME, "night-light", "lamplight/1"):
        assert secret.encode() not in board.home.wire.seen
