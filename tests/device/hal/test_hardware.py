"""The door to the hardware: opens nothing early, survives pickling and forking, and says what is not there."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import boards
from device.errors import NotFoundError, UsageError
from device.hal.hardware import Hardware

SIMULATED = boards.load("lamplight/simulated")
REAL = boards.load("raspberry-pi/4b")


def test_a_simulated_board_needs_a_socket_and_a_real_one_has_none():
    with pytest.raises(UsageError, match=r"python -m device\.hal\.sim"):
        Hardware(SIMULATED)
    with pytest.raises(UsageError, match="not simulated"):
        Hardware(REAL, Path("hw.sock"))


@pytest.mark.parametrize("use", ["output", "input", "sensor"])
def test_what_the_board_does_not_have_is_answered_with_what_it_has(use):
    with pytest.raises(NotFoundError, match=r"it has: (button, led|light)"):
        getattr(Hardware(SIMULATED, Path("hw.sock")), use)("lamp")


def test_it_can_be_sent_to_another_process():
    hardware = pickle.loads(pickle.dumps(Hardware(SIMULATED, Path("hw.sock"))))
    assert hardware.board == SIMULATED


def test_making_one_imports_no_blinka_and_preparing_opens_nothing(simulation):
    code = """
    before = "board" in sys.modules or "adafruit_blinka" in sys.modules
    files = set(os.listdir("/dev/fd"))
    hardware.prepare()
    give([before, "board" in sys.modules, "adafruit_tsl2561" in sys.modules, files == set(os.listdir("/dev/fd"))])
    """
    assert simulation.run(code) == [False, True, True, True]


def test_preparing_says_so_when_this_machine_is_not_the_board(simulation):
    code = """
    from device.errors import UsageError
    for name in [name for name in os.environ if name.startswith("BLINKA_")]:
        del os.environ[name]
    try:
        Hardware(boards.load("raspberry-pi/4b")).prepare()
    except UsageError as error:
        give(str(error))
    """
    assert "the hardware of raspberry-pi/4b cannot be used here" in simulation.run(code)


def test_workers_forked_after_preparing_open_hardware_for_themselves(simulation):
    code = """
    hardware.prepare()
    def work(task):
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if task() else 1)
            except BaseException:
                os._exit(2)
        return child
    def drive():
        hardware.output("led").value = True
        return True
    children = [work(drive), work(lambda: abs(hardware.sensor("light").read().lux - 300) < 9)]
    give([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
    """
    assert simulation.run(code) == [0, 0]


def test_two_simulated_boards_in_one_process_are_kept_apart(simulation, world, tmp_path):
    other = type(simulation)(tmp_path / "other.sock")
    code = f"""
    other = Path({str(other.socket)!r})
    leds = [Hardware(board, socket).output("led") for socket in (SOCKET, other)]
    leds[1].value = True
    sensors = [Hardware(board, socket).sensor("light") for socket in (SOCKET, other)]
    World.connect(other).set(lux=50)
    lux = [until(sensor.read, lambda r: r.lux > 0).lux for sensor in sensors]
    give([[led.value for led in leds], lux])
    """
    try:
        assert simulation.run(code) == [[False, True], [pytest.approx(300, rel=0.03), pytest.approx(50, rel=0.03)]]
    finally:
        other.stop()


def test_a_users_circuitpython_program_runs_unchanged_in_a_worker(simulation, world):
    code = """
    hardware.prepare()
    child = os.fork()
    if child:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    import board
    import busio
    import digitalio
    import adafruit_tsl2561

    lamp = digitalio.DigitalInOut(board.D17)
    lamp.direction = digitalio.Direction.OUTPUT
    lamp.value = True
    button = digitalio.DigitalInOut(board.D27)
    button.switch_to_input(pull=digitalio.Pull.UP)
    with busio.I2C(board.SCL, board.SDA) as i2c:
        i2c.try_lock()
        found = i2c.scan()
        i2c.unlock()
        tsl = adafruit_tsl2561.TSL2561(i2c)
        tsl.gain = 1
        tsl.integration_time = 1
        lux = until(lambda: tsl.lux, lambda lux: lux and abs(lux - 300) < 9)
    give([found, button.value, lux, world.state()["pins"]["led"]])
    """
    assert simulation.run(code) == [[0x39], True, pytest.approx(300, rel=0.03), True]


def test_a_machine_without_pins_needs_no_blinka():
    Hardware(boards.load("linux/arm64")).prepare()


def test_an_adapter_is_looked_for_on_usb_and_its_absence_is_told():
    # In a process of its own: Blinka chooses the board once, at its import.
    code = """
import boards
from device.hal.hardware import Hardware
Hardware(boards.load("ftdi/ft232h")).prepare()
"""
    # What another test of this process has told Blinka is not this one's.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BLINKA_")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=clean)
    assert "UsageError" in done.stderr and "FT232H" in done.stderr and "cannot be used here" in done.stderr
