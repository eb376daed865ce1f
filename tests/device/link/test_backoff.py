"""The pauses between connections: soon for a broker away, ever longer for a connection that is taken over."""

from device.link.backoff import CAP, DISPLACED_CAP, NONE, SHORT_CAP, SUSPICIOUS, Attempt, after, pause

REFUSED, GOOD = Attempt(False, 0.1, False), Attempt(True, 3600.0, False)
TAKEN, DISPLACED = Attempt(True, 0.1, False), Attempt(True, 0.1, True)


def pauses(attempt, count, chance=1.0):
    tries = NONE
    for _ in range(count):
        tries = after(tries, attempt)
        yield pause(tries, chance)


def test_a_broker_that_is_away_is_tried_again_within_half_a_minute():
    assert max(pauses(REFUSED, 50)) == CAP


def test_a_connection_taken_over_again_and_again_is_tried_ever_more_rarely():
    told = list(pauses(TAKEN, 30))
    assert told == sorted(told)
    assert told[SUSPICIOUS] >= 30
    assert told[-1] == SHORT_CAP


def test_a_board_that_is_not_the_device_never_comes_back_at_once():
    told = list(pauses(DISPLACED, 20, chance=0.0))
    assert told[0] == 30
    assert told[-1] == DISPLACED_CAP / 2


def test_a_connection_that_lasts_begins_the_count_anew():
    assert after(after(NONE, DISPLACED), GOOD) == after(after(NONE, TAKEN), GOOD) == NONE


def test_a_broker_away_after_a_displacement_keeps_its_count():
    assert after(after(NONE, DISPLACED), REFUSED).displaced == 1
