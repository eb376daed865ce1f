"""Pins through Blinka's digitalio on the simulated board: no pulse at a change of hands, one owner, shared inputs."""

import pytest

HOLD_LED = """
led = hardware.output("led")
led.value = {level}
give("holding")
sys.stdin.readline()
"""


@pytest.fixture
def hold(simulation):
    """Start a process that drives the LED to a level and holds it; it ends when it is sent a line or killed."""
    holders = []

    def hold(level):
        holder = simulation.spawn(HOLD_LED.format(level=level))
        holders.append(holder)
        assert holder.stdout.readline() == '"holding"\n'
        return holder

    yield hold
    for holder in holders:
        holder.kill()
        holder.communicate()


@pytest.mark.parametrize("level", [True, False])
@pytest.mark.parametrize("end", ["leave", "kill"])
def test_a_worker_takes_an_output_over_without_a_change_of_the_line(simulation, world, hold, level, end):
    # What is wired to the line would lift it, or let it fall, if it were an input for a moment.
    world.wire("led", not level)
    holder = hold(level)
    before = world.history("led")
    if end == "kill":
        holder.kill()
    holder.communicate(timeout=60)
    taken = """
    led = hardware.output("led")
    give([led.value, (setattr(led, "value", led.value), led.value)[1]])
    """
    assert simulation.run(taken) == [level, level]
    assert world.history("led") == before
    assert world.state()["pins"]["led"] is level


@pytest.mark.parametrize("level", [True, False])
def test_a_change_after_a_takeover_is_the_only_one(simulation, world, hold, level):
    holder = hold(level)
    before = world.history("led")
    holder.communicate(timeout=60)
    simulation.run(f"led = hardware.output('led'); led.value = {not level}; led.close(); give(0)")
    assert [change["level"] for change in world.history("led")[len(before) :]] == [not level]


@pytest.mark.parametrize("pull", [True, False])
def test_an_input_becomes_an_output_at_the_level_that_is_on_it(simulation, world, pull):
    """A relay that its own resistor holds off must not be switched by the board's start."""
    world.wire("led", pull)
    before = len(world.history("led"))
    assert simulation.run("give(hardware.output('led').value)") is pull
    assert [(c["direction"], c["level"]) for c in world.history("led")[before:]] == [("output", pull)]


@pytest.mark.parametrize(("level", "safe"), [(True, True), (True, False), (False, True), (False, False)])
def test_resting_an_output_makes_no_change_but_the_one_to_its_safe_level(simulation, world, hold, level, safe):
    holder = hold(level)
    before = world.history("led")
    holder.kill()
    holder.communicate(timeout=60)
    simulation.run(f"hardware.rest('led', {safe}); give(0)")
    assert [change["level"] for change in world.history("led")[len(before) :]] == [safe] * (level is not safe)
    assert world.state()["pins"]["led"] is safe
    assert simulation.run("give(hardware.output('led').value)") is safe


def test_plain_digitalio_would_pulse_so_the_record_does_show_pulses(simulation, world, hold):
    holder = hold(True)
    before = world.history("led")
    holder.communicate(timeout=60)
    simulation.run(
        """
        hardware.prepare()
        import board, digitalio
        digitalio.DigitalInOut(board.D17).switch_to_output(value=True)
        give(0)
        """
    )
    assert False in [change["level"] for change in world.history("led")[len(before) :]]


def test_a_second_process_is_told_which_pin_is_busy_and_disturbs_nothing(simulation, world, hold):
    hold(True)
    before = world.history("led")
    errors = simulation.run(
        """
        from device.hal.errors import PinError
        errors = []
        for attempt in (
            lambda: hardware.output("led"),
            lambda: hardware.rest("led", False),
            lambda: hardware.input("led").value,
        ):
            try:
                attempt()
            except PinError as error:
                errors.append(str(error))
        give(errors)
        """
    )
    assert len(errors) == 3
    for error in errors:
        assert "pin 'led' (header pin 11, GPIO 17) is busy" in error
        assert "gpioinfo" in error
    assert world.history("led") == before


def test_an_output_that_was_closed_is_free_at_once(simulation):
    code = """
    for _ in range(100):
        hardware.output("led").close()
    give("free")
    """
    assert simulation.run(code) == "free"


def test_a_forked_child_cannot_drive_its_parents_output(simulation):
    code = """
    from device.hal.errors import PinError
    led = hardware.output("led")
    child = os.fork()
    if child == 0:
        try:
            led.value = True
        except PinError:
            os._exit(7)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    give([os.waitstatus_to_exitcode(status), led.value])
    """
    assert simulation.run(code) == [7, False]


def test_an_input_has_its_pull_and_follows_what_is_wired_to_it(simulation):
    code = """
    button = hardware.input("button")
    values = [button.value]
    for level in (False, True, None):
        world.wire("button", level)
        values.append(button.value)
    give(values)
    """
    assert simulation.run(code) == [True, False, True, True]


def test_several_processes_read_one_button_at_once(simulation):
    code = """
    button = hardware.input("button")
    give(all(button.value for _ in range(300)))
    """
    readers = [simulation.spawn(code) for _ in range(3)]
    for reader in readers:
        output, _ = reader.communicate(timeout=120)
        assert output == "true\n"
