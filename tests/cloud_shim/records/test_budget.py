"""The arithmetic of a budget."""

from cloud_shim.records import budget
from cloud_shim.records.budget import RATES, Rate
from device.link.outbox import BUDGETS

RATE = Rate(60, 6000, 60)


def test_a_minutes_worth_may_come_at_once_and_no_more():
    left = budget.full(RATE, 0.0)
    for _ in range(60):
        left = budget.spent(left, 100)
        assert left is not None
    assert budget.spent(left, 0) is None


def test_bytes_count_beside_messages():
    left = budget.spent(budget.full(RATE, 0.0), 6000)
    assert left is not None
    assert budget.spent(left, 1) is None
    assert budget.spent(left, 0) is not None


def test_it_fills_up_evenly_and_to_the_brim_only():
    empty = budget.Budget(0, 0, 100.0)
    assert budget.at(empty, RATE, 130.0) == (30, 3000, 130.0)
    assert budget.at(empty, RATE, 10_000.0) == (60, 6000, 10_000.0)


def test_a_clock_that_goes_back_costs_nothing():
    assert budget.at(budget.Budget(5, 50, 100.0), RATE, 90.0) == (5, 50, 90.0)


def test_a_whole_outbox_fits_in_at_once():
    """A device that comes back after weeks is not slowed down."""
    assert RATES["up"].bytes > sum(BUDGETS.values())
