"""The names of libgpiod 2's `gpiod.line`; their values are the words of the simulated hardware's requests."""

from enum import Enum


class Value(Enum):
    """A line's level."""

    INACTIVE = 0
    ACTIVE = 1


class Direction(Enum):
    """A line's direction."""

    AS_IS = "as_is"
    INPUT = "input"
    OUTPUT = "output"


class Bias(Enum):
    """A line's pull resistor."""

    AS_IS = "as_is"
    DISABLED = "disabled"
    PULL_UP = "up"
    PULL_DOWN = "down"


class Edge(Enum):
    """The edges to report."""

    NONE = "none"
    RISING = "rising"
    FALLING = "falling"
    BOTH = "both"
