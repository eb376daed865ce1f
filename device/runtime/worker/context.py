"""The second argument of a handler: `handler(event, context)`.

Lives in the worker. It gives a function exactly the things leased in its function.toml. hal works the hardware, the
channel carries the messages.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from device.errors import LamplightError, NotFoundError
from device.runtime.wire.messages import Drives, Publish
from device.runtime.worker import values
from device.runtime.worker.log import FunctionLog, Send
from device.runtime.worker.reads import Note

if TYPE_CHECKING:
    from device.hal.hardware import Hardware, Input, LightSensor, Output
    from device.hal.sensors.light import Reading
    from device.infer.session import Model
    from device.runtime.worker.state import State

T = TypeVar("T")


class Leased(Mapping[str, T], Generic[T]):
    """Things by their leased name, each opened at first use.

    Any other name raises NotFoundError, with the missing line of function.toml.
    """

    def __init__(self, names: list[str], opener: Callable[[str], T], what: str, remedy: str) -> None:
        self._names = names
        self._opener = opener
        self._what = what
        self._remedy = remedy
        self._open: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        if name not in self._open:
            if name not in self._names:
                known = ", ".join(self._names) or "none"
                raise NotFoundError(
                    f"the function has no {self._what} {name!r}",
                    f"its function.toml names {known}",
                    self._remedy.format(name=name),
                )
            self._open[name] = self._opener(name)
        return self._open[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def opened(self) -> Mapping[str, T]:
        """The things opened so far."""
        return self._open


class Sensor:
    """A leased light sensor. `lux` reads it; `read()` also says whether it was saturated.

    Examples:
        >>> context.sensors["light"].lux
        12.5
        >>> context.sensors["light"].read()
        Reading(lux=12.5, saturated=False)
    """

    def __init__(self, name: str, sensor: "LightSensor", note: Note) -> None:
        self._name = name
        self._sensor = sensor
        self._note = note
        self.close = sensor.close

    def read(self) -> "Reading":
        """A reading now; raises SensorError when the sensor stays silent."""
        try:
            reading = self._sensor.read()
        except LamplightError as error:
            self._note("sensor", self._name, str(error))
            raise
        self._note("sensor", self._name, [reading.lux, reading.saturated])
        return reading

    def __json__(self) -> object:
        """A reading now."""
        return self.read()

    @property
    def lux(self) -> float:
        """The illuminance now, in lux; raises SensorError when the sensor stays silent."""
        return self.read().lux


class OutputPin:
    """A leased output. The agent hears of its level at the takeover, and of each change."""

    def __init__(self, name: str, pin: "Output", send: Send) -> None:
        self._name = name
        self._pin = pin
        self._send = send
        self._told: bool | None = None
        self.close = pin.close
        self._tell(pin.value)

    @property
    def value(self) -> bool:
        """Its level; `True` is high. Raises PinError."""
        return self._pin.value

    @value.setter
    def value(self, level: object) -> None:
        high = bool(level)
        self._pin.value = high
        self._tell(high)

    def __json__(self) -> bool:
        """Its level."""
        return self.value

    def _tell(self, level: bool) -> None:
        # Most events leave an output as it is, and cost nothing here.
        if level is not self._told:
            self._told = level
            self._send(Drives(self._name, level).message())


class InputPin:
    """A leased input.

    Examples:
        >>> "pressed" if context.pins["button"].value else "released"
        'released'
    """

    def __init__(self, name: str, pin: "Input", note: Note) -> None:
        self._name = name
        self._pin = pin
        self._note = note
        self.close = pin.close

    @property
    def value(self) -> bool:
        """Its level now; `True` is high. Raises PinError."""
        level = self._pin.value
        self._note("pin", self._name, level)
        return level

    def __json__(self) -> bool:
        """Its level now."""
        return self.value


class Pin(Protocol):
    """A leased pin. `True` is high; setting an input is an AttributeError.

    Examples:
        >>> context.pins["led"].value = not context.pins["led"].value
        >>> context.pins["led"].value
        True
    """

    value: bool


class Context:
    """The things the function may use, and facts about the event in hand.

    `pins`: name → output (`.value` to read and set) or input (`.value` to read). `sensors`: name → `.lux`, `.read()`.
    `models`: name → `.run(values)`. `state`: text → any JSON value, kept from event to event. `config`: the settings,
    read-only. `deadline`: when the event must be done, in seconds of `time.monotonic()`. `request_id`: the event's id.
    `function` and `version`: the name and number of this release.

    Examples:
        >>> def handler(event, context):
        ...     dark = event.data["lux"] < context.config["threshold"]
        ...     context.pins["led"].value = dark
        ...     context.state["evenings"] = context.state.get("evenings", 0) + dark
        ...     context.log.info("%s v%d: evening %d", context.function, context.version, context.state["evenings"])
        >>> handler(event, context)
        >>> logged()
        ['info: night-light v3: evening 1']
    """

    def __init__(
        self,
        function: str,
        version: int,
        config: Mapping[str, Any],
        pins: Mapping[str, Pin],
        sensors: Mapping[str, Sensor],
        models: "Mapping[str, Model]",
        state: "State",
        send: Send,
    ) -> None:
        self.function = function
        self.version = version
        self.config = MappingProxyType(dict(config))
        self.pins = pins
        self.sensors = sensors
        self.models = models
        self.state = state
        self.log = FunctionLog(function, send)
        self.request_id = ""
        self.deadline = 0.0
        self._send = send

    def publish(self, topic: str, data: object = None) -> None:
        """Send `data` (anything with a form in JSON, about 128 kB at most) to the cloud under `topic`.

        It waits on the board while offline.

        Raises TypeError unless `topic` is text, LamplightError when `data` has no form in JSON or is too long.

        Examples:
            >>> context.publish("room/light", {"lux": event.data["lux"]})
            >>> published()
            [('room/light', {'lux': 12.5})]
        """
        if not isinstance(topic, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"publish(topic, data): the topic is text such as 'rooms/hall', not {type(topic).__name__}")
        try:
            self._send(Publish(topic, data).message())
        except (TypeError, ValueError, RecursionError):
            self._publish_formed(topic, data)

    def _publish_formed(self, topic: str, data: object) -> None:
        """Publish data beyond the plain encoding."""
        try:
            self._send(Publish(topic, values.plain(data, "data")).message())
        except (TypeError, ValueError) as error:
            raise LamplightError(f"cannot publish to {topic!r}", str(error)) from None

    def remaining(self) -> float:
        """Seconds until the deadline; below zero once it has passed.

        Examples:
            >>> readings = []
            >>> while context.remaining() > 2 and len(readings) < 3:
            ...     readings.append(context.sensors["light"].lux)
            >>> readings
            [12.5, 12.5, 12.5]
        """
        return self.deadline - time.monotonic()


def leased_pins(
    hardware: "Hardware", outputs: list[str], inputs: list[str], note: Note, send: Send
) -> Leased[OutputPin | InputPin]:
    """The function's pins: an output can be set, an input read."""

    def opened(name: str) -> OutputPin | InputPin:
        if name in outputs:
            return OutputPin(name, hardware.output(name), send)
        return InputPin(name, hardware.input(name), note)

    return Leased(
        [*outputs, *inputs],
        opened,
        "pin",
        'lease it in function.toml: [pins.{name}] with direction = "out" or "in"',
    )


def leased_sensors(hardware: "Hardware", names: list[str], note: Note) -> Leased[Sensor]:
    """The function's sensors."""
    return Leased(
        names,
        lambda name: Sensor(name, hardware.sensor(name), note),
        "sensor",
        'lease it in function.toml: sensors = ["{name}"]',
    )


def leased_models(names: list[str], load: "Callable[[str], Model]") -> "Leased[Model]":
    """The function's models."""
    return Leased(names, load, "model", 'name it in function.toml: models = ["{name}"]')
