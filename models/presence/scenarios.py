"""What happens in a room, and whether it means that someone is there: labelled windows of readings.

Each scenario makes a batch of windows from the physics in light.py. TRAINING gives the ranges from which its
parameters are drawn; SHIFTED moves them, so that the held-out figures are not those of the training's own distribution.

A window counts as positive when the event that shows a person lies in it: the whole shadow of one who passes, the
arrival of a hand that covers the sensor, or movement all through the window. Windows that cut a passing shadow in
two are neither kind: with one flank only it is a lamp being switched, and no model can tell. The ranges of what people,
cars and lamps do are assumptions, for lack of recordings.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from models.presence import light
from models.presence.light import Array, Room

Range = tuple[float, float]


@dataclass(frozen=True)
class Ranges:
    """From where parameters are drawn, lowest and highest; light levels and ratios evenly in their logarithm."""

    level: Range = (0.5, 20_000)
    """Light before anything happens, lux."""
    period: Range = (0.1, 0.2)
    """Seconds between readings."""
    flicker: Range = (0.05, 1.0)
    """Modulation depth of lamps."""
    mains_error: float = 0.005
    """Largest relative error of the grid's 50 or 60 Hz."""
    infrared: Range = (0.1, 0.4)
    """Infrared channel over broadband channel."""
    cloud_sigma: Range = (0.05, 0.6)
    cloud_relaxation: Range = (20, 200)
    cloud_penumbra: Range = (1.5, 6)
    """Standard deviation of log transmittance; seconds; seconds."""
    twilight_rate: Range = (0.0005, 0.004)
    """Relative change per second at sunrise and sunset."""
    lamp_left: Range = (0.12, 0.95)
    """Share of the light that is left when a lamp goes off."""
    lamp_share: Range = (0.002, 0.95)
    """Share of the light that was there before a lamp goes on."""
    inertia: Range = (0.001, 0.1)
    """Time constant of a switched lamp, seconds."""
    headlight_gain: Range = (1.6, 30)
    headlight_seconds: Range = (0.6, 3)
    headlight_level: Range = (0.5, 40)
    """Brightness at the peak of a sweep over that before; its length; the light at night, lux."""
    pass_depth: Range = (0.2, 0.8)
    pass_seconds: Range = (0.2, 1.5)
    """Share of the light that a passing body takes, and for how long."""
    reflection: Range = (0.05, 0.3)
    """Share of light that a bright garment adds while it passes."""
    linger: Range = (0.02, 0.15)
    linger_hz: Range = (0.3, 3)
    """Standard deviation of the light near someone who moves, and how fast."""
    cover_left: Range = (0.002, 0.08)
    cover_edge: Range = (0.03, 0.3)
    cover_seconds: Range = (0.3, 1.5)
    """Share of light under a hand; how long it takes to come and go; how long it stays when it goes again."""


TRAINING = Ranges()
# Some of it harder than what was trained on, some easier, and all of it different.
SHIFTED = replace(
    TRAINING,
    level=(0.5, 30_000),
    mains_error=0.008,
    infrared=(0.05, 0.45),
    cloud_sigma=(0.1, 0.7),
    cloud_relaxation=(15, 150),
    cloud_penumbra=(1.2, 5),
    lamp_left=(0.1, 0.9),
    inertia=(0.01, 0.15),
    headlight_gain=(1.5, 50),
    headlight_seconds=(0.8, 3.5),
    pass_depth=(0.15, 0.7),
    pass_seconds=(0.25, 2.0),
    reflection=(0.06, 0.35),
    linger=(0.018, 0.2),
    linger_hz=(0.4, 4),
    cover_left=(0.001, 0.06),
    cover_edge=(0.02, 0.4),
    cover_seconds=(0.25, 2.0),
)


class Draw:
    """Parameters of `count` windows, drawn from `ranges`, and the time that the windows cover."""

    def __init__(self, rng: np.random.Generator, count: int, ranges: Ranges) -> None:
        self.rng = rng
        self.count = count
        self.ranges = ranges
        self.times = light.timeline(ranges.period[1])
        self.period = self.even(ranges.period)

    @property
    def last_reading(self) -> Array:
        """When each window's last reading is taken, in seconds."""
        return light.FIRST_READING + self.period * (light.READINGS - 1)

    def even(self, bounds: Range) -> Array:
        """One value for each window, spread evenly."""
        return self.rng.uniform(*bounds, self.count)

    def ratio(self, bounds: Range) -> Array:
        """One value for each window, spread evenly in its logarithm."""
        return np.exp(self.rng.uniform(np.log(bounds[0]), np.log(bounds[1]), self.count))

    def within(self, length: Array) -> Array:
        """A start for each window, such that what lasts `length` seconds lies between its first and last reading."""
        room = np.maximum(self.last_reading - light.FIRST_READING - length, 0.0)
        return light.FIRST_READING + self.rng.random(self.count) * room

    def edge(self) -> Array:
        """A moment for each window, between its first reading and its last conversion."""
        return self.within(np.full(self.count, light.INTEGRATION))

    def room(self, daylight: Array, lamps: Array) -> Room:
        """A room with this light; its lamps' flicker, the grid and the colour of the light are drawn."""
        nominal = self.rng.choice([50.0, 60.0], self.count)
        error = self.rng.uniform(-1, 1, self.count) * self.ranges.mains_error
        return Room(
            daylight, lamps, self.even(self.ranges.flicker), nominal * (1 + error), self.even(self.ranges.infrared)
        )

    def steady(self, level: Array) -> Array:
        """Light that stays at `level`."""
        return np.repeat(level[:, None], len(self.times), axis=1)

    def still_room(self) -> Room:
        """A room in which nothing happens: lamps, daylight with clouds, or both."""
        share = self.rng.choice([0.0, 1.0, 0.5], self.count)
        level = self.ratio(self.ranges.level)
        sky = light.day_curve(level * share, self.even((8, 16)), self.times) * self.clouds()
        return self.room(sky, self.steady(level * (1 - share)))

    def clouds(self) -> Array:
        """The transmittance of clouds."""
        r = self.ranges
        return light.cloud_transmittance(
            self.rng, self.even(r.cloud_sigma), self.ratio(r.cloud_relaxation), self.ratio(r.cloud_penumbra), self.times
        )


def dark(draw: Draw) -> Room:
    """Night: less than half a lux, in one window of five nothing at all."""
    level = draw.even((0.0, 0.5)) * (draw.rng.random(draw.count) > 0.2)
    return draw.room(draw.steady(level), draw.steady(level * 0))


def lamp_light(draw: Draw) -> Room:
    """Lamps that flicker and nothing else."""
    return draw.room(draw.steady(np.zeros(draw.count)), draw.steady(draw.ratio(draw.ranges.level)))


def clouds(draw: Draw) -> Room:
    """Daylight under moving clouds."""
    sky = light.day_curve(draw.ratio(draw.ranges.level), draw.even((7, 17)), draw.times) * draw.clouds()
    return draw.room(sky, draw.steady(np.zeros(draw.count)))


def twilight(draw: Draw) -> Room:
    """Sunrise and sunset."""
    direction = draw.rng.choice([-1.0, 1.0], draw.count)
    sky = light.twilight(draw.ratio((0.5, 400)), direction * draw.even(draw.ranges.twilight_rate), draw.times)
    return draw.room(sky, draw.steady(np.zeros(draw.count)))


def lamp_off(draw: Draw) -> Room:
    """A lamp goes off; other light stays."""
    return _lamp_off(draw, draw.ratio(draw.ranges.lamp_left))


def lamp_on(draw: Draw) -> Room:
    """A lamp goes on, also in the dark."""
    level = draw.ratio(draw.ranges.level)
    others = level * draw.ratio(draw.ranges.lamp_share)
    lamp = light.switched(level * 0, level - others, draw.edge(), draw.ratio(draw.ranges.inertia), draw.times)
    return draw.room(draw.steady(others), lamp)


def headlights(draw: Draw) -> Room:
    """A car's light sweeps through the room at night."""
    length = draw.even(draw.ranges.headlight_seconds)
    level = draw.ratio(draw.ranges.headlight_level)
    sweep = light.pulse(draw.even((-0.5, 1)) * draw.last_reading, length, length * draw.even((0.2, 0.5)), draw.times)
    beam = sweep * (level * (draw.ratio(draw.ranges.headlight_gain) - 1))[:, None]
    return draw.room(draw.steady(level) + beam, draw.steady(level * 0))


def passing(draw: Draw) -> Room:
    """Someone passes between the light and the sensor."""
    length = draw.even(draw.ranges.pass_seconds)
    shadow = light.pulse(draw.within(length), length, length * draw.even((0.2, 0.5)), draw.times)
    return draw.still_room().shaded(1 - shadow * draw.even(draw.ranges.pass_depth)[:, None])


def reflecting(draw: Draw) -> Room:
    """Someone in bright clothes passes and throws light on the sensor."""
    length = draw.even(draw.ranges.pass_seconds)
    gleam = light.pulse(draw.within(length), length, length * draw.even((0.2, 0.5)), draw.times)
    return draw.still_room().shaded(1 + gleam * draw.ratio(draw.ranges.reflection)[:, None])


def lingering(draw: Draw) -> Room:
    """Someone stays near and moves."""
    low, high = draw.ranges.linger_hz
    slow = draw.ratio((low, high / 2))
    movement = light.restless(draw.rng, slow, slow * 2, draw.times) * draw.ratio(draw.ranges.linger)[:, None]
    return draw.still_room().shaded(np.exp(movement))


def covering(draw: Draw) -> Room:
    """A hand covers the sensor and stays, for the whole of at least the last conversion that is read."""
    edge = draw.ratio(draw.ranges.cover_edge)
    return _covered(draw, draw.within(edge + 2 * light.INTEGRATION), np.full(draw.count, np.inf), edge)


def waving(draw: Draw) -> Room:
    """A hand covers the sensor for a moment."""
    length = draw.even(draw.ranges.cover_seconds)
    return _covered(draw, draw.within(length), length, np.minimum(draw.ratio(draw.ranges.cover_edge), length / 2))


def only_lamp_off(draw: Draw) -> Room:
    """The only lamp of a room goes off: to the sensor just what a hand does. Measured as a limit, never trained on."""
    return _lamp_off(draw, draw.ratio(draw.ranges.cover_left))


def _lamp_off(draw: Draw, left: Array) -> Room:
    level = draw.ratio(draw.ranges.level)
    lamp = light.switched(level * (1 - left), level * 0, draw.edge(), draw.ratio(draw.ranges.inertia), draw.times)
    return draw.room(draw.steady(level * left), lamp)


def _covered(draw: Draw, start: Array, length: Array, edge: Array) -> Room:
    hand = light.pulse(start, length, edge, draw.times)
    return draw.still_room().shaded(1 - hand * (1 - draw.ratio(draw.ranges.cover_left))[:, None])


Scenario = Callable[[Draw], Room]
ABSENT: dict[str, Scenario] = {
    "dark": dark,
    "lamp light": lamp_light,
    "clouds": clouds,
    "twilight": twilight,
    "lamp goes off": lamp_off,
    "lamp goes on": lamp_on,
    "headlights": headlights,
}
PRESENT: dict[str, Scenario] = {
    "passing": passing,
    "reflecting": reflecting,
    "lingering": lingering,
    "covering": covering,
    "waving": waving,
}


def windows(scenario: Scenario, seed: int, count: int, ranges: Ranges) -> Array:
    """`count` windows of lux readings of one scenario, [count, 32]; the same seed gives the same."""
    draw = Draw(np.random.default_rng(seed), count, ranges)
    room = scenario(draw)
    return light.read(draw.rng, room, draw.period, draw.times)
