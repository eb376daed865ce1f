"""A TSL2561 light sensor at register level, as the datasheet TAOS059N (March 2009) describes it.

It is the chip on the bus: bytes written and read, and light falling on it over time. Computing the lux is the driver's
work. The interrupt pin is left unwired on our boards, so the interrupt registers only keep the values written to them.
"""

import random
from collections.abc import Callable

# Bits of the command register, and addresses of the registers (datasheet, "Register set").
COMMAND = 0x80
WORD = 0x20
BLOCK = 0x10
CONTROL, TIMING, INTERRUPT, ID, DATA0LOW = 0x0, 0x1, 0x6, 0xA, 0xC
WRITABLE = range(CONTROL, INTERRUPT + 1)
POWER_ON = 0x03
GAIN_16X = 0x10
MANUAL = 0x08
MANUAL_INTEGRATION = 0x03
TIMING_BITS = GAIN_16X | MANUAL | 0x03
TIMING_DEFAULT = 0x02
# The part answers 0101 as the number of a TSL2561T/FN/CL; revision 0.
PART = 0x50

# Integration times come from the internal oscillator, in units of 918 clocks; the full scale is half the clocks, less
# 2: 5047 counts at 13.7 ms, 37177 at 101 ms, and the 16 bits of the register above 178 ms
# (datasheet, "Operating characteristics" and "Timing register").
OSCILLATOR_HZ = 735_000
INTEGRATION_CLOCKS = (11 * 918, 81 * 918, 322 * 918)
REGISTER_LIMIT = 0xFFFF
# Infrared to broadband response in daylight; the formula for the FN package holds 0 to 1.3.
DAYLIGHT_RATIO = 0.25


def integration_time(choice: int) -> float:
    """Seconds of the integration selected by INTEG = `choice` (0, 1 or 2): 13.7, 101 or 402 ms."""
    return INTEGRATION_CLOCKS[choice] / OSCILLATOR_HZ


def full_scale(seconds: float) -> int:
    """The highest count of an integration of `seconds`."""
    return max(0, min(REGISTER_LIMIT, round(seconds * OSCILLATOR_HZ) // 2 - 2))


def lux_per_count(ratio: float) -> float:
    """Lux for one count of channel 0 at 402 ms and 16x, for `ratio` = channel 1 / channel 0, from 0 to 1.3.

    It is the datasheet's empirical formula for the FN package ("Calculating lux"), divided by channel 0.
    """
    if ratio <= 0.50:
        return 0.0304 - 0.062 * ratio**1.4
    if ratio <= 0.61:
        return 0.0224 - 0.031 * ratio
    if ratio <= 0.80:
        return 0.0128 - 0.0153 * ratio
    return 0.00146 - 0.00112 * ratio


def channels(lux: float, ratio: float, gain: int, seconds: float) -> tuple[int, int]:
    """Counts of channel 0 (broadband) and 1 (infrared) for a mean of `lux` over `seconds`: the formula inverted."""
    share = seconds / integration_time(2) * gain / 16
    broadband = lux / lux_per_count(ratio) * share
    limit = full_scale(seconds)
    return min(limit, round(broadband)), min(limit, round(broadband * ratio))


class Tsl2561:
    """One chip. `clock` gives seconds; `ratio` is the light's infrared share; `noise` the standard deviation of a
    conversion relative to its value."""

    def __init__(self, clock: Callable[[], float], ratio: float = DAYLIGHT_RATIO, noise: float = 0.0) -> None:
        self._clock = clock
        self._ratio = ratio
        self._noise = noise
        self._lux = 0.0
        self.reset()

    def reset(self) -> None:
        """Lose the supply and get it back: every register has its power-on value, and the chip is powered down."""
        self._registers = bytearray(16)
        self._registers[TIMING] = TIMING_DEFAULT
        self._registers[ID] = PART
        self._command = 0
        self._counts = (0, 0)
        self._upper = [0, 0]
        self._converting = False
        self._begin(self._clock())

    def shine(self, lux: float) -> None:
        """From now on, `lux` falls on the sensor. An integration in progress gets its part of both."""
        self._advance()
        self._lux = lux

    def write(self, data: bytes) -> None:
        """A write transaction: the command byte, then values for the addressed register and those after it.

        A first byte without the CMD bit addresses no register, and is ignored.
        """
        self._advance()
        if not data or not data[0] & COMMAND:
            return
        self._command = data[0]
        for register, value in zip(self._addressed(len(data) - 1), data[1:], strict=True):
            self._store(register, value)

    def read(self, count: int) -> bytes:
        """A read transaction of `count` bytes from the register addressed by the last command byte."""
        self._advance()
        return bytes(self._load(register) for register in self._addressed(count))

    def _addressed(self, count: int) -> list[int]:
        """The registers of the next `count` bytes. Only WORD and BLOCK transactions go on to the next register."""
        step = 1 if self._command & (WORD | BLOCK) else 0
        return [(self._command + i * step) & 0xF for i in range(count)]

    def _load(self, register: int) -> int:
        if register < DATA0LOW:
            return self._registers[register]
        channel, upper = divmod(register - DATA0LOW, 2)
        if upper:
            return self._upper[channel]
        # Reading the lower byte keeps the upper one of the same conversion until it is read.
        self._upper[channel] = self._counts[channel] >> 8
        return self._counts[channel] & 0xFF

    def _store(self, register: int, value: int) -> None:
        if register == CONTROL:
            self._power(value & POWER_ON)
        elif register == TIMING:
            self._time(value & TIMING_BITS)
        elif register in WRITABLE:
            self._registers[register] = value

    def _power(self, value: int) -> None:
        """Power up, with data registers at 0 until the first conversion completes, or down, keeping them."""
        was_on = self._registers[CONTROL] == POWER_ON
        self._registers[CONTROL] = value
        if value != POWER_ON:
            self._converting = False
        elif not was_on:
            self._counts = (0, 0)
            self._converting = not self._is_manual()
            self._begin(self._clock())

    def _time(self, value: int) -> None:
        """Change gain or integration time. The integration in progress starts anew; the data registers keep the last
        complete conversion. In manual mode the MANUAL bit starts an integration, and its end completes it."""
        integrating_by_hand = self._converting and self._is_manual()
        self._registers[TIMING] = value
        if self._registers[CONTROL] != POWER_ON:
            return
        now = self._clock()
        if integrating_by_hand and self._is_manual() and not value & MANUAL:
            self._complete(self._light, now - self._began)
        self._converting = not self._is_manual() or bool(value & MANUAL)
        self._begin(now)

    def _is_manual(self) -> bool:
        return self._registers[TIMING] & MANUAL_INTEGRATION == MANUAL_INTEGRATION

    def _begin(self, now: float) -> None:
        self._began = self._seen = now
        self._light = 0.0  # lux seconds since `_began`, up to `_seen`

    def _advance(self) -> None:
        """Bring the conversion up to the present: complete the ended integrations, and collect light for the next."""
        now = self._clock()
        if self._converting and not self._is_manual():
            self._complete_ended(now, integration_time(self._registers[TIMING] & 0x03))
        self._light += self._lux * (now - self._seen)
        self._seen = now

    def _complete_ended(self, now: float, period: float) -> None:
        end = self._began + period
        if now < end:
            return
        further = (now - end) // period
        last = self._lux * period if further else self._light + self._lux * (end - self._seen)
        self._complete(last, period)
        self._begin(end + further * period)

    def _complete(self, light: float, seconds: float) -> None:
        gain = 16 if self._registers[TIMING] & GAIN_16X else 1
        lux = light / seconds if seconds > 0 else 0.0
        noisy = max(0.0, lux * (1 + random.gauss(0, self._noise))) if self._noise else lux
        self._counts = channels(noisy, self._ratio, gain, seconds)
