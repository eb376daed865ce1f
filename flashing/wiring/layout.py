"""Where everything lies: pins at the left, parts at the right, and a lane for each wire between, with few crossings.

Lengths are in SVG's user units. A wire from the left column of a header passes between two pins of the right one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations

from boards import Header, HeaderPin
from flashing.wiring.nets import Net, Part, Wiring

ROW = 22.0
TOP = 86.0
HEADER_X, COLUMN = 60.0, 24.0
LANES_X, LANE = 262.0, 20.0
PARTS_X = 420.0
PART_GAP = 44.0

# All orders of so many wires are tried; of more there are too many, and only neighbours of a good one are.
_MOST_TRIED = 7

Segment = tuple[float, float, float, float]


@dataclass(frozen=True)
class Pin:
    """A pin of the header: its place, and the net beginning there (None for none)."""

    name: HeaderPin
    x: float
    y: float
    net: Net | None


@dataclass(frozen=True)
class Placed:
    """A part, with the y of each of its terminals; their x is PARTS_X."""

    part: Part
    ys: Sequence[float]


@dataclass(frozen=True)
class Wire:
    """A net's way: from (x, y) to the right, along its lane, and from there to each y of `ends`."""

    net: Net
    x: float
    y: float
    start_y: float
    lane: float
    ends: Sequence[float]


@dataclass(frozen=True)
class Layout:
    """Everything in its place."""

    header: Header
    pins: Sequence[Pin]
    parts: Sequence[Placed]
    wires: Sequence[Wire]
    height: float


def place(wiring: Wiring) -> Layout:
    """The layout with the fewest crossings of wires, or, of many wires, nearly the fewest."""
    pins = _pins(wiring)
    parts = _parts(wiring.parts)
    wires = _least_crossing([_wire(net, pins, parts, wiring.header) for net in wiring.nets])
    lowest = max([pin.y for pin in pins] + [each.ys[-1] + 40 for each in parts])
    return Layout(wiring.header, pins, parts, wires, lowest + 50)


def _pins(wiring: Wiring) -> list[Pin]:
    nets = {net.pin: net for net in wiring.nets}
    if not wiring.header.pins:
        return [Pin(name, HEADER_X + COLUMN, TOP + ROW * n, net) for n, (name, net) in enumerate(nets.items())]
    numbers = range(1, wiring.header.pins + 1)
    return [Pin(n, HEADER_X + COLUMN * ((n - 1) % 2), TOP + ROW * ((n - 1) // 2), nets.get(n)) for n in numbers]


def _parts(parts: Sequence[Part]) -> list[Placed]:
    placed: list[Placed] = []
    # A quarter of a row off the pins' rows, so each wire lies on a line of its own.
    y = TOP + ROW / 4
    for part in parts:
        ys = [y + ROW * 1.5 * n for n in range(len(part.terminals))]
        placed.append(Placed(part, ys))
        y = ys[-1] + ROW * 2 + PART_GAP
    return placed


def _wire(net: Net, pins: Sequence[Pin], parts: Sequence[Placed], header: Header) -> Wire:
    pin = next(each for each in pins if each.name == net.pin)
    in_left_column = header.pins > 0 and pin.x == HEADER_X
    start = pin.y + ROW / 2 if in_left_column else pin.y
    return Wire(net, pin.x, pin.y, start, 0.0, [parts[part].ys[terminal] for part, terminal in net.ends])


def _least_crossing(wires: Sequence[Wire]) -> Sequence[Wire]:
    lanes = range(len(wires))
    crossings = _pairs(wires)

    def cost(order: Sequence[int]) -> int:
        pairs = combinations(lanes, 2)
        return sum(crossings[a][b] if order[a] < order[b] else crossings[b][a] for a, b in pairs)

    if len(wires) <= _MOST_TRIED:
        order: Sequence[int] = min(permutations(lanes), key=cost)
    else:
        order = list(lanes)
        while (better := _improved(order, cost)) is not None:
            order = better
    return [_in_lane(wire, lane) for wire, lane in zip(wires, order, strict=True)]


def _in_lane(wire: Wire, lane: int) -> Wire:
    return replace(wire, lane=LANES_X + LANE * lane)


def _pairs(wires: Sequence[Wire]) -> list[list[int]]:
    """[a][b]: how often the wires a and b cross with a's lane left of b's. Which lanes: no matter."""
    left = [_segments(_in_lane(wire, 0)) for wire in wires]
    right = [_segments(_in_lane(wire, 1)) for wire in wires]
    return [[sum(_cross(a, b) for a in one for b in other) for other in right] for one in left]


def _improved(order: Sequence[int], cost: Callable[[Sequence[int]], int]) -> list[int] | None:
    """The best of the orders with two places exchanged, None when all of them cost as much or more."""
    best = min((_swapped(order, *pair) for pair in combinations(range(len(order)), 2)), key=cost)
    return best if cost(best) < cost(order) else None


def _swapped(order: Sequence[int], one: int, other: int) -> list[int]:
    changed = list(order)
    changed[one], changed[other] = order[other], order[one]
    return changed


def _segments(wire: Wire) -> list[Segment]:
    top, bottom = min(wire.start_y, *wire.ends), max(wire.start_y, *wire.ends)
    across = [(wire.lane, y, PARTS_X, y) for y in wire.ends]
    return [(wire.x, wire.start_y, wire.lane, wire.start_y), (wire.lane, top, wire.lane, bottom), *across]


def _cross(a: Segment, b: Segment) -> bool:
    """Whether a horizontal and a vertical segment meet."""
    flat, upright = (a, b) if a[1] == a[3] else (b, a)
    if flat[1] != flat[3] or upright[0] != upright[2]:
        return False
    return flat[0] <= upright[0] <= flat[2] and upright[1] <= flat[1] <= upright[3]
