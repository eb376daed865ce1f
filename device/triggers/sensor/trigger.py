"""The sensor trigger: one reader thread per sensor, shared by the telemetry and by every subscribed function.

Each subscriber is served at its own period; those with the same period get the same reading. A failing sensor stays
silent and is tried again; hal reads it.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from device.errors import LamplightError
from device.health import SensorHealth
from device.protocol.triggers import SensorTrigger as Declared
from device.triggers.delivery import Deliver
from device.triggers.sensor.gate import gate
from device.triggers.ticks import due, ticks

if TYPE_CHECKING:
    from device.hal.hardware import LightSensor
    from device.hal.sensors import Reading

Emit = Callable[[str, str, dict[str, object]], None]
# Seconds of silence after which the last reading is too old to act on; a disturbed transfer is over sooner.
LOST = 5.0
# The longest and the shortest time between two readings in telemetry, in seconds.
TELEMETRY_LONGEST = 1.0
TELEMETRY_SHORTEST = 0.2


class Subscription:
    """Somebody's wish for readings: every `every` seconds, with the lux of the last `window` of them, oldest first."""

    def __init__(self, every: float, window: int, sink: Callable[["Reading", list[float]], None]) -> None:
        self.every = every
        self.last = 0
        self._window: deque[float] = deque(maxlen=window)
        self._sink = sink

    def take(self, reading: "Reading") -> None:
        """A reading for this subscriber; given on once the window is full."""
        self._window.append(reading.lux)
        if len(self._window) == self._window.maxlen:
            self._sink(reading, list(self._window))

    def interrupt(self) -> None:
        """The sensor failed: readings from before and after are no longer neighbours."""
        self._window.clear()


class SensorReader:
    """Reads one sensor. `open_sensor` gives it by name; it is opened anew after each failure.

    `lost` is called with its name, once, after LOST seconds of silence.
    """

    def __init__(
        self,
        name: str,
        open_sensor: "Callable[[str], LightSensor]",
        emit: Emit,
        clock: Callable[[], float] = time.monotonic,
        lost: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._name = name
        self._lost = lost
        # The time of its last reading; None once its loss has been told.
        self._good: float | None = clock()
        self._read_once = False
        self._open = open_sensor
        self._emit = emit
        self._clock = clock
        self._sensor: LightSensor | None = None
        self._subscriptions: list[Subscription] = []
        self._telemetry = Subscription(TELEMETRY_LONGEST, 1, self._record)
        self._changed = threading.Condition()
        self._closed = False
        self._start = clock()
        self.health = SensorHealth(ok=True, error="")
        self._thread = threading.Thread(target=self._run, name=f"sensor {name}", daemon=True)
        self._thread.start()

    @property
    def fault(self) -> LamplightError | None:
        """The reason for its silence: from the start, or for LOST seconds; None while it reads."""
        if self.health.ok or (self._read_once and self._good is not None):
            return None
        why = self.health.error
        return LamplightError(f"the sensor {self._name} cannot be read", why, "`lamplight doctor` looks at its wiring")

    def subscribe(self, subscription: Subscription) -> None:
        """Serve this one from now on."""
        with self._changed:
            subscription.last = ticks(self._start, subscription.every, self._clock())
            self._subscriptions.append(subscription)
            self._changed.notify()

    def unsubscribe(self, subscription: Subscription) -> None:
        """Stop serving this one."""
        with self._changed:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)

    def close(self) -> None:
        """Stop reading."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while (served := self._wait()) is not None:
            reading = self._read()
            for subscription in served:
                if reading is None:
                    subscription.interrupt()
                else:
                    subscription.take(reading)
        self._let_go()

    def _wait(self) -> list[Subscription] | None:
        """The subscriptions whose time has come; None when the reader was closed."""
        with self._changed:
            while not self._closed:
                everybody = self._everybody()
                now = self._clock()
                served = [each for each in everybody if ticks(self._start, each.every, now) > each.last]
                if served:
                    for each in served:
                        each.last = ticks(self._start, each.every, now)
                    return served
                self._changed.wait(min(due(self._start, each.every, each.last + 1) for each in everybody) - now)
            return None

    def _everybody(self) -> list[Subscription]:
        shortest = min((each.every for each in self._subscriptions), default=TELEMETRY_LONGEST)
        every = min(TELEMETRY_LONGEST, max(TELEMETRY_SHORTEST, shortest))
        if every != self._telemetry.every:
            self._telemetry.every = every
            self._telemetry.last = ticks(self._start, every, self._clock())
        return [self._telemetry, *self._subscriptions]

    def _read(self) -> "Reading | None":
        try:
            self._sensor = self._sensor or self._open(self._name)
            reading = self._sensor.read()
        except Exception as error:
            # Whatever a driver raises: a dead sensor must not take its thread along.
            self._let_go()
            self._tell(SensorHealth(ok=False, error=str(error) or type(error).__name__))
            self._miss()
            return None
        self._tell(SensorHealth(ok=True, error=""))
        self._good, self._read_once = self._clock(), True
        return reading

    def _miss(self) -> None:
        if self._good is not None and self._clock() - self._good >= LOST:
            self._good = None
            self._lost(self._name)

    def _let_go(self) -> None:
        sensor, self._sensor = self._sensor, None
        try:
            if sensor:
                sensor.close()
        except Exception as error:
            self._tell(SensorHealth(ok=False, error=str(error)))

    def _tell(self, health: SensorHealth) -> None:
        changed = health.ok != self.health.ok
        self.health = health
        if changed:
            self._emit("events", "sensor", {"sensor": self._name, "ok": health.ok, "error": health.error})

    def _record(self, reading: "Reading", window: list[float]) -> None:
        fields: dict[str, object] = {"sensor": self._name, "lux": reading.lux, "saturated": reading.saturated}
        self._emit("telemetry", "reading", fields)


class SensorTrigger:
    """Delivers an event for each reading that passes its declared gate, until closed."""

    def __init__(self, reader: SensorReader, declared: Declared, deliver: Deliver) -> None:
        self._reader = reader
        self._sensor = declared.sensor
        self._deliver = deliver
        self._gate = gate(declared.above, declared.below, declared.delta)
        self._subscription = Subscription(declared.every, declared.window, self._take)
        reader.subscribe(self._subscription)

    def _take(self, reading: "Reading", window: list[float]) -> None:
        if type := self._gate.see(reading.lux):
            data = {"lux": reading.lux, "window": window, "saturated": reading.saturated}
            self._deliver(f"sensor/{self._sensor}", type, data, self._sensor)

    @property
    def fault(self) -> LamplightError | None:
        """The reason for its sensor's silence."""
        return self._reader.fault

    def close(self) -> None:
        """Deliver no more."""
        self._reader.unsubscribe(self._subscription)


class SensorHub:
    """A reader for each sensor of the board."""

    def __init__(self, open_sensor: "Callable[[str], LightSensor]", names: list[str], emit: Emit) -> None:
        # Called when a sensor is lost, in its reader's thread.
        self.on_lost: Callable[[str], None] = lambda name: None
        self._readers = {name: SensorReader(name, open_sensor, emit, lost=self._lost) for name in names}

    def trigger(self, declared: Declared, deliver: Deliver) -> SensorTrigger:
        """A trigger on its sensor; leases have made sure of the sensor."""
        return SensorTrigger(self._readers[declared.sensor], declared, deliver)

    def health(self) -> Mapping[str, SensorHealth]:
        """How each sensor is doing."""
        return {name: reader.health for name, reader in self._readers.items()}

    def _lost(self, name: str) -> None:
        self.on_lost(name)

    def close(self) -> None:
        """Stop all readers."""
        for reader in self._readers.values():
            reader.close()
