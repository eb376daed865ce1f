"""The real driver, through Blinka, against the simulated hardware process; and what people do to sensors."""

import json

import pytest

from device.hal.sensors.tsl2561 import BRIGHT, DIM, HIGH_GAIN, LOW_GAIN, _snapshot, choose_gain

# One count at 101 ms and 16x, with infrared 1/4 of broadband, is worth this; dimmer light is known no better.
LUX_PER_COUNT = 0.0215 / 0.252


@pytest.mark.parametrize("lux", [0.5, 1, 2, 5, 20, 100, 700, 1_000, 3_000, 10_000, 30_000])
def test_the_driver_gives_the_light_that_falls_on_the_sensor(simulation, lux):
    tolerance = max(0.03 * lux, 1.5 * LUX_PER_COUNT)
    code = f"""
    world.set(lux={lux})
    sensor = hardware.sensor("light")
    reading = until(sensor.read, lambda r: abs(r.lux - {lux}) <= {tolerance})
    give([reading.lux, reading.saturated])
    """
    measured, saturated = simulation.run(code)
    assert measured == pytest.approx(lux, abs=tolerance)
    assert not saturated


def test_the_range_is_crossed_up_and_down_with_the_gain_changing_by_itself(simulation):
    code = """
    sensor = hardware.sensor("light")
    steps = [3, 30_000, 3, 100_000, 0, 30_000, 0.5, 700]
    readings = []
    for lux in steps:
        world.set(lux=lux)
        near = lambda r: r.saturated if lux > 60_000 else abs(r.lux - lux) <= max(0.03 * lux, 0.13)
        readings.append([lux, near(until(sensor.read, near))])
    give(readings)
    """
    assert all(near for _, near in simulation.run(code))


def test_saturation_is_the_highest_measurable_value_and_says_so(simulation):
    code = """
    world.set(lux=200_000)
    sensor = hardware.sensor("light")
    reading = until(sensor.read, lambda r: r.saturated)
    give([reading.lux, reading.saturated])
    """
    lux, saturated = simulation.run(code)
    assert saturated
    assert lux == pytest.approx(71_416, rel=0.001)


def test_darkness_is_zero_and_not_missing(simulation):
    code = """
    world.set(lux=0)
    sensor = hardware.sensor("light")
    reading = until(sensor.read, lambda r: r.lux == 0)
    give([reading.lux, isinstance(reading.lux, float), reading.saturated])
    """
    assert simulation.run(code) == [0.0, True, False]


def test_a_hand_over_the_sensor_is_seen(simulation):
    code = """
    sensor = hardware.sensor("light")
    before = until(sensor.read, lambda r: r.lux > 290).lux
    world.set(covered=True)
    give([before, until(sensor.read, lambda r: r.lux < 4).lux])
    """
    assert simulation.run(code) == [pytest.approx(300, rel=0.03), pytest.approx(3, abs=0.2)]


def test_no_reading_lies_outside_of_what_the_light_was_while_it_changes(simulation):
    """A change of gain in between must not show: a reading of old counts with new gain would be 16 times off."""
    code = """
    import itertools
    sensor = hardware.sensor("light")
    seen = []
    levels = itertools.cycle([200, 6_000])
    for lux in itertools.islice(levels, 12):
        world.set(lux=lux)
        end = time.monotonic() + 0.15
        while time.monotonic() < end:
            seen.append(sensor.read().lux)
    give([min(seen), max(seen), len(seen)])
    """
    low, high, _ = simulation.run(code)
    assert low >= 200 * 0.97
    assert high <= 6_000 * 1.03


def test_an_unplugged_sensor_is_named_with_what_to_try_and_comes_back_by_itself(simulation):
    code = """
    from device.hal.errors import SensorError
    def attempt():
        try:
            return sensor.read().lux
        except SensorError as error:
            return str(error)
    sensor = hardware.sensor("light")
    first = until(attempt, lambda r: r > 290)
    world.set(unplugged=True)
    second, third = attempt(), attempt()
    world.set(unplugged=False, lux=50)
    give([first, second, third, attempt()])
    """
    first, second, third, fourth = simulation.run(code)
    assert first == pytest.approx(300, rel=0.03)
    for part in ("tsl2561", "0x39", "bus i2c", "Remote I/O error", "SDA on header pin 3", "i2cdetect -y 1"):
        assert part in second
    assert "0x39" in third
    assert fourth == pytest.approx(50, rel=0.03)


def test_a_sensor_unplugged_and_back_between_two_reads_does_not_read_as_darkness(simulation):
    code = """
    sensor = hardware.sensor("light")
    sensor.read()
    world.set(unplugged=True)
    world.set(unplugged=False)
    give(sensor.read().lux)
    """
    assert simulation.run(code) == pytest.approx(300, rel=0.03)


@pytest.mark.parametrize(
    "meddling",
    ["chip.enabled = False", "chip.integration_time = 0", "chip.integration_time = 3", "chip.integration_time = 2"],
)
def test_another_program_that_changed_the_chips_settings_does_no_lasting_harm(simulation, meddling):
    code = f"""
    sensor = hardware.sensor("light")
    sensor.read()
    import board, adafruit_tsl2561
    chip = adafruit_tsl2561.TSL2561(board.I2C())
    {meddling}
    give(sensor.read().lux)
    """
    assert simulation.run(code) == pytest.approx(300, rel=0.03)


@pytest.mark.parametrize(("field", "value"), [("address", 0x29), ("bus", "spare")])
def test_a_sensor_that_is_not_where_the_board_file_says_is_named(simulation, field, value):
    code = f"""
    import dataclasses
    from device.hal.errors import SensorError
    from boards import Bus
    hardware.prepare()
    import board as blinka
    from adafruit_blinka.microcontroller.generic_linux.i2c import I2C
    blinka.spare = lambda: I2C(7)
    spare = Bus("spare", 7, 27, 28)
    moved = dataclasses.replace(board.sensors["light"], {field}={value!r})
    board = dataclasses.replace(board, sensors={{"light": moved}}, buses={{**board.buses, "spare": spare}})
    try:
        Hardware(board, SOCKET).sensor("light").read()
    except SensorError as error:
        give(str(error))
    """
    error = simulation.run(code)
    assert "no reading from the tsl2561 at address" in error
    assert ("0x29" in error) if field == "address" else ("I2C Bus #7 not found" in error)


def test_a_hardware_process_that_is_gone_is_an_error_and_its_return_is_noticed(simulation):
    reader = simulation.spawn(
        """
        from device.hal.errors import SensorError
        sensor = hardware.sensor("light")
        for line in sys.stdin:
            try:
                give(sensor.read().lux)
            except SensorError as error:
                give(str(error))
        """
    )

    def ask():
        reader.stdin.write("\n")
        reader.stdin.flush()
        return reader.stdout.readline()

    with reader:
        assert float(ask()) == pytest.approx(300, rel=0.03)
        simulation.stop()
        assert "does not answer" in ask()
        simulation.start()
        assert float(ask()) == pytest.approx(300, rel=0.03)
        reader.stdin.close()


def test_two_processes_on_one_bus_both_read_the_light(simulation):
    code = """
    sensor = hardware.sensor("light")
    until(sensor.read, lambda r: r.lux > 290)
    give("ready")
    sys.stdin.readline()
    give([sensor.read().lux for _ in range(300)])
    """
    readers = [simulation.spawn(code) for _ in range(2)]
    for reader in readers:
        assert reader.stdout.readline() == '"ready"\n'
    for reader in readers:
        reader.stdin.write("\n")
        reader.stdin.flush()
    for reader in readers:
        output, _ = reader.communicate(timeout=120)
        assert json.loads(output) == [pytest.approx(300, rel=0.03)] * 300


def test_a_forked_child_and_its_parent_read_at_once_over_connections_of_their_own(simulation):
    code = """
    sensor = hardware.sensor("light")
    until(sensor.read, lambda r: r.lux > 290)
    def all_right():
        return all(abs(sensor.read().lux - 300) < 9 for _ in range(200))
    child = os.fork()
    if child == 0:
        os._exit(0 if all_right() else 1)
    mine = all_right()
    give([mine, os.waitpid(child, 0)[1]])
    """
    assert simulation.run(code) == [True, 0]


@pytest.mark.parametrize(
    ("gain", "channels", "chosen"),
    [
        (HIGH_GAIN, (0, 0), HIGH_GAIN),
        (HIGH_GAIN, (BRIGHT, 0), HIGH_GAIN),
        (HIGH_GAIN, (BRIGHT + 1, 0), LOW_GAIN),
        (HIGH_GAIN, (100, BRIGHT + 1), LOW_GAIN),
        (LOW_GAIN, (DIM, 0), LOW_GAIN),
        (LOW_GAIN, (DIM - 1, 0), HIGH_GAIN),
        (LOW_GAIN, (37_177, 37_177), LOW_GAIN),
    ],
)
def test_the_gain_follows_the_stronger_channel(gain, channels, chosen):
    assert choose_gain(gain, channels) == chosen


@pytest.mark.parametrize("counts", [BRIGHT + 1, BRIGHT + 100, 37_000])
def test_a_change_of_gain_is_not_taken_back_at_the_same_light(counts):
    assert choose_gain(LOW_GAIN, (counts // 16, 0)) == LOW_GAIN
    assert choose_gain(HIGH_GAIN, ((DIM - 1) * 16, 0)) == HIGH_GAIN


class Disturbed:
    """A driver whose counts are others at each of the next `times` readings."""

    lux = 5.0

    def __init__(self, times):
        self.left = times

    @property
    def luminosity(self):
        self.left -= self.left > 0
        return (100 + self.left, 10)


def test_a_reading_between_two_integrations_is_repeated():
    assert _snapshot(Disturbed(3)) == ((100, 10), 5.0)


def test_counts_that_never_settle_are_a_fault_and_no_end_of_the_board():
    with pytest.raises(RuntimeError, match="other counts each time"):
        _snapshot(Disturbed(10**9))
