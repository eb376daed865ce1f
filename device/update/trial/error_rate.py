"""Does a new generation fail more often than the one before it? Pure: two pairs of counts in, yes or no out.

Where the old one handled at least ENOUGH events, a sequential probability ratio test [Wald, Sequential Tests of
Statistical Hypotheses, 1945] compares the rate that is `allowed` with two higher ones, twice as much and MOSTLY; either
may decide, each at half of RISK. The allowed rate is the upper bound of the old one by Wilson's score [Wilson, 1927] at
95 %, one-sided, and at least LEAST_RATE: the fewer events the old one had, the more is allowed.

The test is looked at again after every event; a test for a fixed number of events forbids this. The likelihood ratio
allows it: under the allowed rate it ever reaches 1/RISK with a probability of at most RISK [Ville, 1939]. It takes more
than one error to decide.

Where less is known of the old one, more than half of at least MIN_EVENTS events must have failed, and not so before.
"""

import math

# So many events of the old one are enough to compare with.
ENOUGH = 30
# Where too little is known of the old one, the new one needs so many events to be judged.
MIN_EVENTS = 3
# The risk of calling a new one worse although it keeps to the allowed rate.
RISK = 0.01
LEAST_RATE = 0.01
# The rate of a hardly working version.
MOSTLY = 0.9
# The normal distribution's 95 % quantile.
_Z = 1.645


def worse(errors: int, events: int, old_errors: int, old_events: int, least: int) -> bool:
    """Whether `errors` of `events` are more than `old_errors` of `old_events` allow.

    Where too little is known of the old one, at least `least` events are needed.
    """
    if old_events < ENOUGH:
        return 2 * errors > events >= max(least, MIN_EVENTS) and 2 * old_errors <= old_events
    rate = allowed(old_errors, old_events)
    higher = (min(2 * rate, (1 + rate) / 2), max(MOSTLY, (1 + rate) / 2))
    return any(_ratio(errors, events, rate, each) >= math.log(len(higher) / RISK) for each in higher)


def allowed(errors: int, events: int) -> float:
    """The highest rate likely to have given `errors` of `events`, at least one; less than 1."""
    rate, square = errors / events, _Z * _Z
    spread = _Z * math.sqrt(rate * (1 - rate) / events + square / (4 * events * events))
    bound = (rate + square / (2 * events) + spread) / (1 + square / events)
    # A function with only failures may go on so: its bound is 1, and all counts are within it.
    return min(max(bound, LEAST_RATE), 1 - 1e-9)


def _ratio(errors: int, events: int, rate: float, higher: float) -> float:
    """The logarithm of how much likelier the counts are at the higher rate."""
    return errors * math.log(higher / rate) + (events - errors) * math.log((1 - higher) / (1 - rate))
