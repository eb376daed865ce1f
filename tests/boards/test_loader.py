"""Board files: the two there are, and every way to write one wrongly."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import boards
from boards import Board
from boards.loader import load, names
from device.errors import NotFoundError, UsageError
from device.hal.sensors import CHIPS

# The machine may be busy with other things.
RELAXED = settings(suppress_health_check=[HealthCheck.too_slow])

GOOD = """
title = "A board"
cannot = ["fly"]
[machine]
detect = "RASPBERRY_PI_4B"
architecture = "aarch64"
wheels = "manylinux_2_36_aarch64"
memory = 1024
[header]
pins = 40
power = 1
ground = 9
[flash]
method = "card"
files = ["kernel8.img"]
[pins.led]
blinka = "D17"
header = 11
line = 17
[pins.button]
blinka = "D27"
header = 13
line = 27
pull = "up"
[buses.i2c]
blinka = "I2C"
number = 1
sda = 3
scl = 5
[sensors.light]
chip = "tsl2561"
bus = "i2c"
address = 0x39
"""


@pytest.fixture
def load_text(tmp_path):
    def load_text(text):
        folder = tmp_path / "maker" / "board"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "board.toml").write_text(text)
        return load("maker/board", tmp_path)

    return load_text


def test_the_two_boards_have_the_same_names_and_wiring():
    simulated, real = boards.load("lamplight/simulated"), boards.load("raspberry-pi/4b")
    assert (simulated.simulated, real.simulated) == (True, False)
    assert (simulated.pins, simulated.buses, simulated.sensors) == (real.pins, real.buses, real.sensors)
    led, light = real.pins["led"], real.sensors["light"]
    assert (led.blinka, led.header, led.line) == ("D17", 11, 17)
    assert (light.chip, light.bus, light.address) == ("tsl2561", "i2c", 0x39)


@pytest.mark.parametrize("name", names())
def test_every_board_uses_only_chips_that_have_a_driver(name):
    assert {sensor.chip for sensor in load(name).sensors.values()} <= set(CHIPS)


def test_an_unknown_board_is_answered_with_the_known_ones():
    with pytest.raises(NotFoundError, match=r"no board 'acme/toaster'.*lamplight/simulated, .*raspberry-pi/4b"):
        load("acme/toaster")


@pytest.mark.parametrize("name", ["", "..", "../..", "lamplight/..", "/etc/passwd", "a/b/c", "lamplight/simulated/"])
def test_a_name_that_leads_out_of_the_folder_is_no_board(name):
    with pytest.raises(NotFoundError):
        load(name)


@pytest.mark.parametrize(
    ("good", "wrong", "named"),
    [
        ('title = "A board"', "", "board.toml.title"),
        ('title = "A board"', 'title = " "', "board.toml.title"),
        ('title = "A board"', 'titel = "A board"', "'titel'"),
        ('blinka = "D17"', 'blinka = "D 17"', "pins.led.blinka"),
        ('blinka = "D17"', "blinka = 17", "pins.led.blinka"),
        ("header = 11", "header = 47", "pins.led.header"),
        ("header = 11", "header = 41", "pins.led.header"),
        ("header = 11", 'header = "D0"', "pins.led.header"),
        ("header = 11", 'header = ""', "pins.led.header"),
        ("scl = 5", "scl = 42", "buses.i2c.scl"),
        ("ground = 9", "ground = 42", "header.ground"),
        ("header = 11", "header = 13", "pins.button.header"),
        ("line = 17", "line = 27", "pins.button.line"),
        ("line = 17", "line = true", "pins.led.line"),
        ('pull = "up"', 'pull = "sideways"', "pins.button.pull"),
        ('pull = "up"', "pul = 1", "pins.button: unknown key 'pul'"),
        ("number = 1", "number = -1", "buses.i2c.number"),
        ("address = 0x39", "address = 0x78", "sensors.light.address"),
        ("address = 0x39", "", "sensors.light.address"),
        ('bus = "i2c"', 'bus = "spi"', "sensors.light.bus"),
        ('chip = "tsl2561"', "chip = 2561", "sensors.light.chip"),
        ("header = 11", 'header = "<svg>"', "pins.led.header"),
        ("sda = 3", "sda = 0", "buses.i2c.sda"),
        ('cannot = ["fly"]', 'cannot = "fly"', "board.toml.cannot"),
        ('detect = "RASPBERRY_PI_4B"', 'detect = "pi"', "machine.detect"),
        ('architecture = "aarch64"', 'architecture = "z80"', "machine.architecture"),
        ('architecture = "aarch64"', 'architecture = "x86_64"', "machine.wheels"),
        ('wheels = "manylinux_2_36_aarch64"', 'wheels = "linux_aarch64"', "machine.wheels"),
        ("memory = 1024", "memory = 1", "machine.memory"),
        ("memory = 1024", "memroy = 1024", "'memroy'"),
        ("power = 1", "", "header.power"),
        ("ground = 9", "ground = []", "header.ground"),
        ("pins = 40", "pins = 400", "header.pins"),
        ('method = "card"', 'method = "magic"', "flash.method"),
        ('files = ["kernel8.img"]', "files = [8]", "flash.files"),
        ("[pins.led]", "[pins.LED]", "board.toml.pins"),
        ("[pins.led]", "[pins.led", "line 16"),
    ],
)
def test_a_wrong_board_file_is_refused_with_the_key_named(load_text, good, wrong, named):
    assert isinstance(load_text(GOOD), Board)
    with pytest.raises(UsageError) as caught:
        load_text(GOOD.replace(good, wrong, 1))
    assert named in str(caught.value)


def test_a_board_file_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "maker" / "board").mkdir(parents=True)
    (tmp_path / "maker" / "board" / "board.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="is wrong"):
        load("maker/board", tmp_path)


VALUES = st.sampled_from(
    ["0", "-1", "1e9", "nan", "inf", '""', '"x"', "true", "[]", "{}", "[[1]]", "1979-05-27", "9" * 30]
)


@RELAXED
@given(line=st.integers(0, GOOD.count("\n") - 1), value=VALUES)
def test_any_value_anywhere_gives_a_board_or_a_usage_error(tmp_path_factory, line, value):
    lines = GOOD.splitlines()
    lines[line] = f"{lines[line].partition('=')[0]} = {value}"
    folder = tmp_path_factory.mktemp("boards") / "maker" / "board"
    folder.mkdir(parents=True)
    (folder / "board.toml").write_text("\n".join(lines))
    try:
        assert isinstance(load("maker/board", folder.parent.parent), Board)
    except UsageError as error:
        assert error.why
