"""A TSL2561 light sensor, through Adafruit's unmodified driver: gain, saturation and coming back after a fault.

The driver computes the lux. Its `lux` is None both in darkness and at saturation; the raw channels tell them apart.
Several processes may read one chip, but a change of gain leaves its data at zero for one integration, and the others
read this as darkness.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from device.errors import OfflineError
from device.hal.errors import SensorError
from device.hal.sensors.light import Reading
from device.hal.sensors.place import Place

if TYPE_CHECKING:
    import adafruit_tsl2561  # pyright: ignore[reportMissingTypeStubs]

# The driver's words for the 101 ms integration, and for 1x and 16x gain.
INTEGRATION_101_MS = 1
LOW_GAIN, HIGH_GAIN = 0, 1
# Seconds. 101 ms is at the nominal 735 kHz; the slowest oscillator allowed, 690 kHz, takes 107.8 ms (TAOS059N,
# "Operating characteristics").
INTEGRATION = 0.108
# Above this count the driver calls a 101 ms integration saturated (full scale is 37177).
CLIPPED = 37_000
# Hysteresis: less gain from here on, and more gain only when 16 times the count is well below that.
BRIGHT = CLIPPED * 9 // 10
DIM = BRIGHT * 2 // 3 // 16
# A change down and a change up again, should the light jump meanwhile.
GAIN_CHANGES = 2
# An integration takes 108 ms and a reading some 2 ms, so one repetition is enough on a working bus.
SNAPSHOTS = 5
# By the datasheet's formula for the highest count at each gain and 101 ms, for light without infrared.
HIGHEST_LUX = {LOW_GAIN: 0.0304 * CLIPPED * 16 / 0.252, HIGH_GAIN: 0.0304 * CLIPPED / 0.252}


def choose_gain(gain: int, channels: tuple[int, int]) -> int:
    """The gain to measure with, given the present one and the counts of both channels."""
    strongest = max(channels)
    if gain == HIGH_GAIN and strongest > BRIGHT:
        return LOW_GAIN
    if gain == LOW_GAIN and strongest < DIM:
        return HIGH_GAIN
    return gain


class Tsl2561:
    """One TSL2561 at `place`. The first read, and one after a change of gain, takes an integration (108 ms) longer."""

    def __init__(self, place: Place, sleep: Callable[[float], None] = time.sleep) -> None:
        self._place = place
        self._sleep = sleep
        self._driver: adafruit_tsl2561.TSL2561 | None = None

    def read(self) -> Reading:
        """The light as of the last complete integration.

        Raises SensorError, naming the chip and its place, when it does not answer; the next call starts it anew.
        """
        try:
            return self._measure(self._ready())
        # An I2C fault is an OSError; the driver gives a ValueError for no chip there and a RuntimeError for a wrong
        # one, Blinka a RuntimeError for a missing bus.
        except (OSError, ValueError, RuntimeError, OfflineError) as error:
            self.close()
            raise SensorError(f"no reading from the {self._place}", _reason(error), self._place.remedy) from error

    def close(self) -> None:
        """Let go of the bus. The chip goes on measuring."""
        self._driver = None

    def _ready(self) -> "adafruit_tsl2561.TSL2561":
        """The driver, with the chip measuring as we want it, also when it lost its supply unnoticed."""
        driver = self._driver = self._driver or self._open()
        if not driver.enabled or driver.integration_time != INTEGRATION_101_MS:
            self._restart(driver, HIGH_GAIN)
        return driver

    def _open(self) -> "adafruit_tsl2561.TSL2561":
        # Imported late: the import needs a board known to Blinka.
        import adafruit_tsl2561  # pyright: ignore[reportMissingTypeStubs]

        return adafruit_tsl2561.TSL2561(self._place.open_bus(), self._place.sensor.address)

    def _restart(self, driver: "adafruit_tsl2561.TSL2561", gain: int) -> None:
        """Set gain and integration time, and wait for the first integration with them.

        Powering up starts an integration (datasheet, "Basic operation"), so nothing of the old gain remains.
        """
        driver.enabled = False
        driver.integration_time = INTEGRATION_101_MS
        driver.gain = gain
        driver.enabled = True
        self._sleep(INTEGRATION)

    def _measure(self, driver: "adafruit_tsl2561.TSL2561") -> Reading:
        for _ in range(GAIN_CHANGES):
            gain = driver.gain
            counts, lux = _snapshot(driver)
            better = choose_gain(gain, counts)
            if better == gain:
                return _reading(gain, counts, lux)
            self._restart(driver, better)
        # The light jumps faster than the gain can follow.
        return _reading(driver.gain, *_snapshot(driver))


def _snapshot(driver: "adafruit_tsl2561.TSL2561") -> tuple[tuple[int, int], float | None]:
    """Both channels' counts and the driver's lux, of one integration: read again when another ended in between.

    Raises RuntimeError when the counts were others at each reading.
    """
    for _ in range(SNAPSHOTS):
        counts = driver.luminosity
        lux = driver.lux
        if driver.luminosity == counts:
            return counts, lux
    raise RuntimeError(f"{SNAPSHOTS} readings within one integration gave other counts each time: the bus is disturbed")


def _reading(gain: int, counts: tuple[int, int], lux: float | None) -> Reading:
    if lux is not None:
        return Reading(float(lux), saturated=False)
    if counts[0] == 0:
        return Reading(0.0, saturated=False)
    return Reading(HIGHEST_LUX[gain], saturated=True)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"the bus says: {error.strerror or error}"
    return str(error)
