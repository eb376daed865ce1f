"""The `[[triggers]]` of a function.toml: one class for each type, and its checking reader.

Other files check a trigger's sensor, pin or folder on the board, and its schedule (hal/leases.py, artifact/bundle.py);
device/triggers does a trigger's work.
"""

from .errors import ProtocolError
from .fields import flag, integer, items, name, number, only, table, text
from .units import count, duration

WHERE = "function.toml.triggers"
SHORTEST_PERIOD = 0.01
EDGES = ("rising", "falling", "both")
PULLS = ("up", "down")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
# Of an HTTP request's body. Without a limit in the manifest: an event has room for 128 kB, and bytes other than text
# grow by a third.
USUAL_BODY = 64 * 1024
MOST_BODY = 16 * 1024 * 1024
MOST_LEVELS = 8
_MOST_ORIGINS = 20
_HOST_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789-.:[]"
_PATH_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/"


class Trigger:
    """A cause for a function to run. Two with the same fields are equal: the running one goes on at a deployment."""

    kind = ""
    # The sensor it reads, and so leases for the function; "" for none.
    sensor = ""
    # The key to tell it from others of its type; "" for none.
    _subject = ""

    def __str__(self) -> str:
        return f"{self.kind} {getattr(self, self._subject)}" if self._subject else self.kind

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trigger) and self._said() == other._said()

    def __hash__(self) -> int:
        return hash(self._said())

    def _said(self) -> tuple[object, ...]:
        return (self.kind, *sorted(self.__dict__.items()))


class StartTrigger(Trigger):
    """Once, when the function starts with a new generation."""

    kind = "start"


class TimerTrigger(Trigger):
    """Every `every` seconds."""

    kind = "timer"

    def __init__(self, every: float) -> None:
        self.every = every


class CronTrigger(Trigger):
    """At the times of day of `schedule`, five fields as cron has them, in the time zone `zone` ("": the board's)."""

    kind = "cron"
    _subject = "schedule"

    def __init__(self, schedule: str, zone: str = "") -> None:
        self.schedule = schedule
        self.zone = zone


class SensorTrigger(Trigger):
    """Readings of a sensor every `every` seconds, each with the last `window` ones.

    With `above` and `below` (lux) only those crossing over; with `delta` (lux) only those as far from the last
    delivered one.
    """

    kind = "sensor"
    _subject = "sensor"

    def __init__(
        self,
        sensor: str,
        every: float = 1.0,
        window: int = 1,
        above: float | None = None,
        below: float | None = None,
        delta: float | None = None,
    ) -> None:
        self.sensor = sensor
        self.every = every
        self.window = window
        self.above = above
        self.below = below
        self.delta = delta


class GpioTrigger(Trigger):
    """Edges of an input pin, held for at least `debounce` seconds. `pull` is "up", "down", or "": the board's."""

    kind = "gpio"
    _subject = "pin"

    def __init__(self, pin: str, edge: str = "both", debounce: float = 0.01, pull: str = "") -> None:
        self.pin = pin
        self.edge = edge
        self.debounce = debounce
        self.pull = pull


class MqttTrigger(Trigger):
    """Messages on a topic of the fleet; "+" stands for one level, "#" at the end for all levels from there on."""

    kind = "mqtt"
    _subject = "topic"

    def __init__(self, topic: str) -> None:
        self.topic = topic


class HttpTrigger(Trigger):
    """HTTP requests to the board: `path` is exact, or ends in "/*". `limit` is in bytes of body.

    `origins` are the web pages that may ask for it, as "https://shop.example.org"; "*" for all.
    """

    kind = "http"
    _subject = "path"

    def __init__(
        self,
        path: str,
        methods: tuple[str, ...] = ("GET", "POST"),
        limit: int = USUAL_BODY,
        origins: tuple[str, ...] = (),
    ) -> None:
        self.path = path
        self.methods = methods
        self.limit = limit
        self.origins = origins


class FileTrigger(Trigger):
    """Files put into or removed from the folder named `folder` in agent.toml; `match` is a pattern such as "*.jpg".

    With `initial`, the files there when the trigger starts count as put.
    """

    kind = "file"
    _subject = "folder"

    def __init__(self, folder: str, match: str = "*", initial: bool = False) -> None:
        self.folder = folder
        self.match = match
        self.initial = initial


class FunctionTrigger(Trigger):
    """Results of another function of this device."""

    kind = "function"
    _subject = "function"

    def __init__(self, function: str) -> None:
        self.function = function


def trigger(value: object) -> Trigger:
    """The trigger in one `[[triggers]]` table."""
    fields = table(value, WHERE)
    kind = text(fields, "type", WHERE)
    if kind not in _READERS:
        raise ProtocolError(f"{WHERE}.type: unknown trigger {kind!r}; known are {', '.join(KINDS)}")
    keys, read = _READERS[kind]
    only(fields, ("type", *keys), WHERE)
    return read(fields)


def topic_filter(value: str, where: str) -> str:
    """`value` as levels of names, "+" and a last "#"; raises ProtocolError otherwise."""
    levels = value.split("/")
    if len(levels) > MOST_LEVELS:
        raise ProtocolError(f"{where}: {value!r} has more than {MOST_LEVELS} levels")
    for position, level in enumerate(levels):
        if level == "+" or (level == "#" and position == len(levels) - 1):
            continue
        name(level, where)
    return value


def _start(fields: dict[str, object]) -> Trigger:
    return StartTrigger()


def _timer(fields: dict[str, object]) -> Trigger:
    return TimerTrigger(_period(text(fields, "every", WHERE)))


def _cron(fields: dict[str, object]) -> Trigger:
    schedule, zone = text(fields, "schedule", WHERE), text(fields, "zone", WHERE, "")
    plain = all(c.isascii() and (c.isalnum() or c in "*,-/# ") for c in schedule)
    if len(schedule.split()) != 5 or len(schedule) > 200 or not plain:
        raise ProtocolError(
            f"{WHERE}.schedule: {schedule!r} is not of five fields; '30 7 * * MON-FRI' is half past seven on workdays"
        )
    if len(zone) > 64 or not all(c.isascii() and (c.isalnum() or c in "_+-/") for c in zone):
        raise ProtocolError(f"{WHERE}.zone: {zone!r} is not a time zone; write 'Europe/Berlin' or 'UTC'")
    return CronTrigger(" ".join(schedule.split()), zone)


def _sensor(fields: dict[str, object]) -> Trigger:
    above, below, delta = (_lux(fields, key) for key in ("above", "below", "delta"))
    if (above is None) != (below is None):
        raise ProtocolError(f"{WHERE}: above and below go together; equal ones are a threshold without hysteresis")
    if above is not None and below is not None and above < below:
        raise ProtocolError(f"{WHERE}: above ({above:g}) is less than below ({below:g})")
    if above is not None and delta is not None:
        raise ProtocolError(f"{WHERE}: either above and below, or delta; two triggers for both")
    if delta is not None and delta <= 0:
        raise ProtocolError(f"{WHERE}.delta: must be more than zero")
    return SensorTrigger(
        name(fields.get("sensor"), f"{WHERE}.sensor"),
        _period(text(fields, "every", WHERE, "1s")),
        integer(fields, "window", WHERE, 1, 4096, 1),
        above,
        below,
        delta,
    )


def _gpio(fields: dict[str, object]) -> Trigger:
    debounce = duration(text(fields, "debounce", WHERE, "10ms"), f"{WHERE}.debounce")
    if debounce > 1:
        raise ProtocolError(f"{WHERE}.debounce: at most 1s")
    return GpioTrigger(
        name(fields.get("pin"), f"{WHERE}.pin"),
        _one_of(fields, "edge", EDGES, "both"),
        debounce,
        _one_of(fields, "pull", PULLS, ""),
    )


def _mqtt(fields: dict[str, object]) -> Trigger:
    return MqttTrigger(topic_filter(text(fields, "topic", WHERE), f"{WHERE}.topic"))


def _http(fields: dict[str, object]) -> Trigger:
    path = text(fields, "path", WHERE)
    plain = (path[:-2] or "/") if path.endswith("/*") else path
    wrong = not plain.startswith("/") or "//" in path or len(path) > 200
    if wrong or not all(c in _PATH_CHARACTERS for c in plain) or any(p in (".", "..") for p in plain.split("/")):
        raise ProtocolError(
            f"{WHERE}.path: {path!r} is not a path; write '/lamp', '/lamp/*' for all below it, or '/*' for all"
        )
    methods = items(fields.get("methods", ["GET", "POST"]), f"{WHERE}.methods")
    known = [each for each in METHODS if each in methods]
    if not known or len(known) != len(methods):
        raise ProtocolError(f"{WHERE}.methods: {methods!r}: name some of {', '.join(METHODS)}, each once")
    return HttpTrigger(path, tuple(known), _limit(text(fields, "limit", WHERE, "64K")), _origins(fields))


def _origins(fields: dict[str, object]) -> tuple[str, ...]:
    origins = items(fields.get("origins", []), f"{WHERE}.origins")
    if len(origins) > _MOST_ORIGINS:
        raise ProtocolError(f"{WHERE}.origins: at most {_MOST_ORIGINS}; '*' opens the path to every page")
    return tuple(_origin(each) for each in origins)


def _origin(value: object) -> str:
    """Scheme, name and port, in lower case: as a browser sends it (RFC 6454, 6.2)."""
    origin = value.lower() if isinstance(value, str) else ""
    scheme, _, rest = origin.partition("://")
    if origin not in ("*", "null") and (
        scheme not in ("http", "https") or not rest or len(rest) > 200 or not all(c in _HOST_CHARACTERS for c in rest)
    ):
        raise ProtocolError(f"{WHERE}.origins: {value!r} is no web page's origin; write 'https://shop.example.org'")
    return origin


def _file(fields: dict[str, object]) -> Trigger:
    match = text(fields, "match", WHERE, "*")
    if not 0 < len(match) <= 200 or "/" in match:
        raise ProtocolError(f"{WHERE}.match: {match!r} is not a pattern of file names; write '*.jpg'")
    return FileTrigger(name(fields.get("folder"), f"{WHERE}.folder"), match, flag(fields, "initial", WHERE, False))


def _function(fields: dict[str, object]) -> Trigger:
    return FunctionTrigger(name(fields.get("function"), f"{WHERE}.function"))


def _period(value: str) -> float:
    seconds = duration(value, f"{WHERE}.every")
    if seconds < SHORTEST_PERIOD:
        raise ProtocolError(f"{WHERE}.every: {value} is too short; at least 10ms")
    return seconds


def _lux(fields: dict[str, object], key: str) -> float | None:
    return number(fields, key, WHERE) if key in fields else None


def _one_of(fields: dict[str, object], key: str, known: tuple[str, ...], default: str) -> str:
    value = text(fields, key, WHERE, default)
    if value not in (*known, default):
        raise ProtocolError(f"{WHERE}.{key}: {value!r} is none of {', '.join(known)}")
    return value


def _limit(value: str) -> int:
    unit = {"K": 1024, "M": 1024 * 1024}.get(value[-1:], 0)
    size = count(value[:-1]) * unit if unit else 0
    if not 0 < size <= MOST_BODY:
        raise ProtocolError(f"{WHERE}.limit: {value!r} is not a size from '1K' to '{MOST_BODY // 1024 // 1024}M'")
    return size


_READERS = {
    "cron": (("schedule", "zone"), _cron),
    "file": (("folder", "match", "initial"), _file),
    "function": (("function",), _function),
    "gpio": (("pin", "edge", "debounce", "pull"), _gpio),
    "http": (("path", "methods", "limit", "origins"), _http),
    "mqtt": (("topic",), _mqtt),
    "sensor": (("sensor", "every", "window", "above", "below", "delta"), _sensor),
    "start": ((), _start),
    "timer": (("every",), _timer),
}
KINDS = tuple(sorted(_READERS))
