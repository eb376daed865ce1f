"""The timer on a clock of the test's."""

import threading

from device.triggers.timer import Timer


class Deliveries:
    def __init__(self, enough):
        self.events = []
        self.reached = threading.Event()
        self._enough = enough

    def __call__(self, source, type, data, subject=""):
        self.events.append((source, type, data))
        if len(self.events) >= self._enough:
            self.reached.set()


def test_it_ticks_until_it_is_closed():
    deliveries = Deliveries(3)
    timer = Timer(0.01, deliveries)
    assert deliveries.reached.wait(30)
    timer.close()
    count = len(deliveries.events)
    assert deliveries.events[0][:2] == ("timer", "lamplight.timer.tick")
    assert not timer._thread.is_alive()
    assert len(deliveries.events) == count


def test_ticks_missed_while_the_board_was_busy_are_counted_and_not_piled_up():
    # The clock stands at the start, then is 10.5 periods on, then far from the next tick.
    readings = iter([0.0, 0.0])
    deliveries = Deliveries(1)
    timer = Timer(0.01, deliveries, lambda: next(readings, 0.105))
    assert deliveries.reached.wait(30)
    timer.close()
    assert deliveries.events[0][2] == {"missed": 9}
