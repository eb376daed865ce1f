"""A physical model of the light in a room, and of how a TSL2561 reads it.

Everything comes in batches: an array's first axis is one simulated window each, its second the time,
in steps of STEP. The light that falls on the sensor is

    illuminance(t) = (daylight(t) + lamps(t) * flicker(t)) * shade(t)        in lux

* **Daylight.** The sun's height over one day is a sine, so daylight is the noon's light times that sine. A room's
  daylight factor is 1 to 5 % of the 10,000 to 100,000 lux outside, and near a sunny window 20,000 lux are reached.
  From sunrise, at about 400 lux, to the other end of civil twilight, at about 3.4 lux, it takes 20 to 35 minutes in
  middle latitudes: 0.2 to 0.4 % per second.
* **Clouds.** The logarithm of their transmittance is an Ornstein-Uhlenbeck process: it wanders and returns to its
  mean. The sun is a disc of 0.53 degrees, so the edge of a cloud 1 km up casts a penumbra of 9 m, which a wind of
  3 to 15 m/s carries past in 0.6 to 3 s; higher clouds take longer. So the process is averaged over that time.
* **Lamps** flicker at twice the mains frequency, filament lamps by 10 to 30 %, the simplest LED lamps by 100 %. The
  grid's frequency keeps within 1 % (EN 50160). Switched, an LED lamp is at its new level at once and a filament
  follows within 30 to 100 ms.
* **Shade.** A body or hand multiplies the light by a factor; its outline is soft, for the light comes from an area.

The sensor (TSL2560/TSL2561 data sheet, TAOS059N) integrates for 101 ms without a pause, one conversion after the
other, and a read gives the last finished one. Over 101 ms, flicker of depth m averages to m * sinc(f * T), 1 % of m,
and that rest is sampled at 5 to 10 Hz, so it appears as a slow beat. Two channels are counted in whole numbers; the
lux formula is that of the data sheet's FN package, as the board's driver computes it. The gain is 16 until a channel
would clip, then 1. The data sheet gives no figure for noise: 0.3 counts and 0.1 % are assumed here.

This file knows no labels; which light means that someone is there is said in scenarios.py.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

READINGS = 32
STEP = 0.01
INTEGRATION = 0.101
# The first reading's time: two conversions have finished by then.
FIRST_READING = 0.25
# Counts at which the driver takes a channel as saturated, at 101 ms.
CLIP_COUNTS = 37_000.0
# The data sheet's formula is for 402 ms and gain 16; 0.252 is its factor for 101 ms.
TIME_SCALE = 1 / 0.252
NOISE_COUNTS = 0.3
NOISE_SHARE = 0.001


@dataclass(frozen=True)
class Room:
    """Light in a batch of rooms: `daylight` and `lamps` in lux, [windows, steps].

    For each window: `flicker` is the lamps' modulation depth from 0 to 1, `mains` the grid's frequency in Hz,
    `infrared` the ratio of the sensor's infrared channel to its broadband channel.
    """

    daylight: Array
    lamps: Array
    flicker: Array
    mains: Array
    infrared: Array

    def shaded(self, factor: Array) -> "Room":
        """The same rooms with all light multiplied by `factor`, [windows, steps]."""
        return Room(self.daylight * factor, self.lamps * factor, self.flicker, self.mains, self.infrared)


def timeline(longest_period: float) -> Array:
    """Times in seconds that cover READINGS readings of at most `longest_period` seconds each."""
    return np.arange(0.0, FIRST_READING + READINGS * longest_period + STEP, STEP)


def day_curve(noon: Array, hour: Array, times: Array) -> Array:
    """Clear daylight in lux: `noon` times the sine of the day from 6 to 18 h; `hour` is the time at the start."""
    hours = hour[:, None] + times[None, :] / 3600
    return noon[:, None] * np.clip(np.sin(np.pi * (hours - 6) / 12), 0.0, None)


def twilight(level: Array, rate: Array, times: Array) -> Array:
    """Light in lux that grows (or falls) exponentially by `rate` per second, as it does around sunrise and sunset."""
    return level[:, None] * np.exp(rate[:, None] * times[None, :])


def cloud_transmittance(
    rng: np.random.Generator, sigma: Array, relaxation: Array, penumbra: Array, times: Array
) -> Array:
    """The factor by which clouds weaken daylight, [windows, steps].

    `sigma` is the standard deviation of its logarithm, `relaxation` the time in seconds in which a change is
    forgotten, `penumbra` the seconds that an edge takes to pass.
    """
    lead = round(float(penumbra.max()) / STEP) + 1
    wander = _ornstein_uhlenbeck(rng, sigma, relaxation, len(times) + lead)
    return np.exp(_trailing_mean(wander, penumbra, lead))


def _ornstein_uhlenbeck(rng: np.random.Generator, sigma: Array, relaxation: Array, steps: int) -> Array:
    # The exact discretisation, x' = a*x + sigma*sqrt(1-a^2)*noise, keeps the process stationary at any step.
    keep = np.exp(-STEP / relaxation)
    kick = sigma * np.sqrt(1 - keep**2)
    noise = rng.standard_normal((steps, len(sigma)))
    path = np.empty_like(noise)
    path[0] = sigma * noise[0]
    for i in range(1, steps):
        path[i] = keep * path[i - 1] + kick * noise[i]
    return path.T


def _trailing_mean(values: Array, seconds: Array, lead: int) -> Array:
    total = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    width = np.maximum(1, np.round(seconds / STEP)).astype(int)
    ends = np.arange(lead, values.shape[1])[None, :] + 1
    starts = ends - width[:, None]
    return (
        np.take_along_axis(total, np.broadcast_to(ends, starts.shape), 1) - np.take_along_axis(total, starts, 1)
    ) / (width[:, None])


def switched(before: Array, after: Array, moment: Array, inertia: Array, times: Array) -> Array:
    """A lamp's light in lux that goes from `before` to `after` at `moment`, with `inertia` as its time constant."""
    since = np.maximum(0.0, times[None, :] - moment[:, None])
    progress = 1 - np.exp(-since / np.maximum(inertia, 1e-3)[:, None])
    return before[:, None] + (after - before)[:, None] * progress


def pulse(start: Array, length: Array, edge: Array, times: Array) -> Array:
    """From 0 to 1 at `start` and back to 0 after `length` seconds; each flank is half a cosine of `edge` seconds.

    The flanks lie inside of the length; an `edge` of half the length leaves no flat top.
    """
    since = times[None, :] - start[:, None]
    rise = np.clip(since / edge[:, None], 0.0, 1.0)
    fall = np.clip((length[:, None] - since) / edge[:, None], 0.0, 1.0)
    return 0.5 * (1 - np.cos(np.pi * np.minimum(rise, fall)))


def restless(rng: np.random.Generator, low: Array, high: Array, times: Array) -> Array:
    """Movement with frequencies between `low` and `high` Hz: five sines, of standard deviation 1 together."""
    parts = 5
    shape = (len(low), parts)
    frequency = low[:, None] + rng.random(shape) * (high - low)[:, None]
    phase = rng.uniform(0, 2 * np.pi, shape)
    waves = np.sin(2 * np.pi * frequency[:, :, None] * times[None, None, :] + phase[:, :, None])
    return waves.sum(axis=1) * np.sqrt(2 / parts)


def read(rng: np.random.Generator, room: Room, period: Array, times: Array) -> Array:
    """What a TSL2561 gives when it is read every `period` seconds: lux, [windows, READINGS].

    A conversion is in progress at any time, at a random phase to the reads; a read that comes a few milliseconds
    late may give the next conversion or, when reading is faster than 101 ms, the same one again.
    """
    windows = len(period)
    jitter = np.abs(rng.normal(0.0, 0.002, (windows, READINGS)))
    reads = FIRST_READING + period[:, None] * np.arange(READINGS)[None, :] + jitter
    phase = rng.uniform(0.0, INTEGRATION, (windows, 1))
    ends = phase + np.floor((reads - phase) / INTEGRATION) * INTEGRATION
    daylight = _mean_over_conversion(room.daylight, ends)
    lamps = _mean_over_conversion(room.lamps, ends) * _flicker_rest(rng, room, ends)
    return _measure(rng, daylight + lamps, room.infrared[:, None])


def _mean_over_conversion(light: Array, ends: Array) -> Array:
    steps = (light[:, 1:] + light[:, :-1]) * (STEP / 2)
    total = np.pad(np.cumsum(steps, axis=1), ((0, 0), (1, 0)))
    return (_at(total, ends) - _at(total, ends - INTEGRATION)) / INTEGRATION


def _at(values: Array, moments: Array) -> Array:
    position = np.clip(moments / STEP, 0.0, values.shape[1] - 1.001)
    left = position.astype(int)
    share = position - left
    return np.take_along_axis(values, left, 1) * (1 - share) + np.take_along_axis(values, left + 1, 1) * share


def _flicker_rest(rng: np.random.Generator, room: Room, ends: Array) -> Array:
    frequency = 2 * room.mains[:, None]
    # numpy's sinc(x) is sin(πx)/(πx): the mean of a cosine over one conversion, relative to its middle.
    depth = room.flicker[:, None] * np.sinc(frequency * INTEGRATION)
    phase = rng.uniform(0, 2 * np.pi, (len(ends), 1))
    return 1 + depth * np.cos(2 * np.pi * frequency * (ends - INTEGRATION / 2) + phase)


def _measure(rng: np.random.Generator, lux: Array, infrared: Array) -> Array:
    per_count = (0.0304 - 0.062 * infrared**1.4) * TIME_SCALE
    broadband = lux / per_count
    gain = np.where(broadband < CLIP_COUNTS, 1.0, 1 / 16)
    visible = _count(rng, broadband * gain)
    heat = _count(rng, broadband * infrared * gain)
    return driver_lux(visible, heat) * TIME_SCALE / gain


def _count(rng: np.random.Generator, exact: Array) -> Array:
    noise = rng.normal(0.0, 1.0, exact.shape) * (NOISE_COUNTS + NOISE_SHARE * exact)
    # A dark photodiode still gives no negative count.
    return np.clip(np.round(exact + np.where(exact > 0, noise, 0.0)), 0.0, CLIP_COUNTS)


def driver_lux(broadband: Array, infrared: Array) -> Array:
    """Lux from counts at 402 ms and gain 16, by the data sheet's formula for the FN package; 0 without counts."""
    ratio = infrared / np.maximum(broadband, 1.0)
    return np.select(
        [broadband == 0, ratio <= 0.5, ratio <= 0.61, ratio <= 0.8, ratio <= 1.3],
        [
            np.zeros_like(broadband),
            0.0304 * broadband - 0.062 * broadband * ratio**1.4,
            0.0224 * broadband - 0.031 * infrared,
            0.0128 * broadband - 0.0153 * infrared,
            0.00146 * broadband - 0.00112 * infrared,
        ],
        default=0.0,
    )
