"""GPIO lines as the kernel shows them: owners, levels, what stays when a line is let go."""

import errno

import pytest

from device.hal.sim.parts.gpio import HISTORY, Gpio

LED, BUTTON = 17, 27
ME, OTHER = object(), object()


@pytest.fixture
def gpio():
    gpio = Gpio(lambda: 0.0)
    gpio.request([LED, BUTTON], ME)
    return gpio


def output(gpio, value, owner=ME):
    gpio.configure(LED, owner, "output", "disabled", value)


def refused(expected):
    return pytest.raises(OSError, match=rf"\[Errno {expected}\]")


def test_a_line_that_is_owned_is_busy_for_everybody_even_its_owner(gpio):
    for owner in (OTHER, ME):
        with refused(errno.EBUSY):
            gpio.request([LED], owner)


def test_a_request_of_several_lines_takes_all_or_none(gpio):
    with refused(errno.EBUSY):
        gpio.request([4, LED], OTHER)
    gpio.request([4], OTHER)


def test_a_line_may_only_be_used_by_its_owner(gpio):
    for use in (
        lambda: gpio.drive(LED, OTHER, True),
        lambda: gpio.read(LED, OTHER),
        lambda: output(gpio, True, OTHER),
        lambda: gpio.read(4, ME),
    ):
        with refused(errno.ENODEV):
            use()


@pytest.mark.parametrize("line", [-1, 58, 10_000])
def test_a_line_that_is_not_there_is_invalid(gpio, line):
    with refused(errno.EINVAL):
        gpio.request([line], OTHER)


def test_an_input_cannot_be_driven(gpio):
    with refused(errno.EPERM):
        gpio.drive(LED, ME, True)


def test_a_line_that_is_let_go_keeps_direction_and_level_and_is_free(gpio):
    output(gpio, True)
    gpio.release(ME)
    assert gpio.level(LED)
    gpio.request([LED], OTHER)
    assert gpio.read(LED, OTHER)
    gpio.drive(LED, OTHER, False)


def test_a_line_taken_as_it_is_does_not_change(gpio):
    output(gpio, True)
    gpio.release(ME)
    gpio.request([LED], OTHER)
    gpio.configure(LED, OTHER, "as_is", "as_is", False)
    assert [change.level for change in gpio.history(LED)] == [True]


@pytest.mark.parametrize(("bias", "level"), [("up", True), ("down", False), ("disabled", False)])
def test_an_open_input_has_the_level_of_its_pull(gpio, bias, level):
    gpio.configure(BUTTON, ME, "input", bias, False)
    assert gpio.read(BUTTON, ME) is level


def test_what_is_wired_to_an_input_is_stronger_than_its_pull_but_not_than_an_output(gpio):
    gpio.configure(BUTTON, ME, "input", "up", False)
    gpio.wire(BUTTON, False)
    assert not gpio.read(BUTTON, ME)
    gpio.wire(BUTTON, None)
    assert gpio.read(BUTTON, ME)
    output(gpio, True)
    gpio.wire(LED, False)
    assert gpio.level(LED)


def test_every_change_of_level_or_direction_is_recorded_and_nothing_else(gpio):
    output(gpio, False)
    output(gpio, False)
    gpio.drive(LED, ME, True)
    gpio.drive(LED, ME, True)
    gpio.configure(LED, ME, "input", "disabled", False)
    changes = [(change.direction, change.level) for change in gpio.history(LED)]
    assert changes == [("output", False), ("output", True), ("input", False)]


def test_the_record_is_bounded(gpio):
    output(gpio, False)
    for i in range(3 * HISTORY):
        gpio.drive(LED, ME, i % 2 == 0)
    assert len(gpio.history(LED)) == HISTORY
