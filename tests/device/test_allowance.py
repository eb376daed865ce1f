"""How often something may happen."""

from device.allowance import Allowance


def test_an_allowance_is_used_up_and_comes_back_with_time():
    allowance = Allowance(rate=10, burst=5, now=0)
    assert allowance.take(8, 0) == 5
    assert allowance.take(1, 0.05) == 0
    assert allowance.take(2, 0.1) == 1
    assert allowance.take(100, 1000) == 5
