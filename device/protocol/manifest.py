"""The content of `function.toml`, checked; model_manifest.py has that of `model.toml`.

Takes the decoded table and gives a checked manifest, or a ProtocolError naming the key. Used by the CLI before packing,
by the shim before signing and by the device before installing: the same words at each place. It does not read files,
and does not know a board's pins and sensors.
"""

from . import cloud
from .cloud import Cloud
from .errors import ProtocolError
from .fields import flag, integer, items, name, only, plain, table, text
from .triggers import USUAL_BODY, HttpTrigger, Trigger, trigger
from .units import MIB, count, duration, mebibytes

OVERFLOWS = ("drop-oldest", "drop-newest", "block")
MAX_INSTANCES = 16
MAX_QUEUE = 1024
# Percents of one processor.
MAX_CPU = 6400


class PinLease:
    """A pin the function drives or reads. `safe` is an output's level whenever no function drives it."""

    def __init__(self, direction: str, safe: bool) -> None:
        self.direction = direction
        self.safe = safe


class StateTable:
    """The function's state: `schema` numbers its form, `size` is in bytes.

    `migrate` is the module and the function to take the state from a lower schema, or two empty texts.
    """

    def __init__(self, schema: int, size: int, migrate: tuple[str, str]) -> None:
        self.schema = schema
        self.size = size
        self.migrate = migrate


class FunctionManifest:
    """A checked `function.toml`.

    `module` and `attribute` come from `handler = "module:attribute"`; `memory` is in bytes above the bare worker,
    `timeout` in seconds for one event. `instances` workers run it; `queue` events may wait for them, and `overflow`
    says how to treat one too many. Each worker has at most `processes` processes and threads and `scratch` bytes of
    files; all of them together `cpu` processors (0.25 is a quarter of one), None for no limit. `network`: it asks for
    the Internet. `buses` are those it talks to with a driver of its own. `record_calls`: calls and HTTP requests are
    recorded, as the events of triggers always are. With a `runtime` of a cloud the handler gets that cloud's events and
    context, in the forms of `cloud`. `environment` are variables for its process.
    """

    def __init__(
        self,
        *,
        name: str,
        module: str,
        attribute: str,
        memory: int,
        timeout: float,
        triggers: list[Trigger],
        pins: dict[str, PinLease],
        sensors: list[str],
        models: list[str],
        state: StateTable,
        config: dict[str, object],
        buses: tuple[str, ...] = (),
        processes: int = 16,
        scratch: int = 16 * MIB,
        network: bool = False,
        instances: int = 1,
        queue: int = 64,
        overflow: str = "drop-oldest",
        cpu: float | None = None,
        record_calls: bool = False,
        runtime: str = cloud.PLAIN,
        cloud: Cloud | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.name = name
        self.runtime = runtime
        self.cloud = cloud or Cloud()
        self.environment = environment or {}
        self.instances = instances
        self.queue = queue
        self.overflow = overflow
        self.cpu = cpu
        self.module = module
        self.attribute = attribute
        self.memory = memory
        self.timeout = timeout
        self.triggers = triggers
        self.pins = pins
        self.buses = buses
        self.sensors = sensors
        self.models = models
        self.state = state
        self.config = config
        self.processes = processes
        self.scratch = scratch
        self.network = network
        self.record_calls = record_calls


def function(value: object) -> FunctionManifest:
    """The manifest in a decoded `function.toml`."""
    where = "function.toml"
    fields = table(value, where)
    only(
        fields,
        (
            *("name", "handler", "runtime", "memory", "timeout", "triggers", "pins", "buses", "sensors", "models"),
            *("state", "config", "instances", "queue", "overflow", "processes", "scratch", "network", "cpu"),
            *("record_calls", "cloud", "environment"),
        ),
        where,
    )
    runtime = cloud.runtime(fields, where)
    named = text(fields, "handler", where)
    module, attribute = _handler(named) if runtime == cloud.PLAIN else cloud.handler(named)
    triggers = [trigger(each) for each in items(fields.get("triggers", []), f"{where}.triggers")]
    scratch = mebibytes(fields, where, 16 * MIB, "scratch")
    _bodies_have_room(triggers, scratch, where)
    sensors = [name(each, f"{where}.sensors") for each in items(fields.get("sensors", []), f"{where}.sensors")]
    config = table(fields.get("config", {}), f"{where}.config")
    plain(config, f"{where}.config")
    pins = {name(n, f"{where}.pins"): _pin(n, p) for n, p in table(fields.get("pins", {}), f"{where}.pins").items()}
    return FunctionManifest(
        name=name(fields.get("name"), f"{where}.name"),
        module=module,
        attribute=attribute,
        memory=mebibytes(fields, where, 64 * MIB),
        timeout=duration(text(fields, "timeout", where, "5s"), f"{where}.timeout"),
        triggers=triggers,
        pins=pins,
        sensors=sorted({*sensors, *(t.sensor for t in triggers if t.sensor)}),
        models=[name(each, f"{where}.models") for each in items(fields.get("models", []), f"{where}.models")],
        state=_state(table(fields.get("state", {}), f"{where}.state")),
        config=config,
        processes=integer(fields, "processes", where, 1, 1024, 16),
        scratch=scratch,
        network=flag(fields, "network", where, False),
        buses=tuple(_bus(n, bus) for n, bus in table(fields.get("buses", {}), f"{where}.buses").items()),
        instances=_instances(fields, where, pins),
        queue=integer(fields, "queue", where, 1, MAX_QUEUE, 64),
        overflow=_overflow(fields, where),
        cpu=_share(fields, where),
        record_calls=flag(fields, "record_calls", where, False),
        runtime=runtime,
        cloud=cloud.cloud(fields, runtime),
        environment=cloud.environment(fields),
    )


def _bodies_have_room(triggers: list[Trigger], scratch: int, where: str) -> None:
    for each in triggers:
        if isinstance(each, HttpTrigger) and each.limit > max(scratch, USUAL_BODY):
            raise ProtocolError(
                f"{where}: a body within the limit of {each.path} has no room in scratch; raise scratch"
            )


def _handler(value: str, key: str = "handler") -> tuple[str, str]:
    module, colon, attribute = value.partition(":")
    if not colon or not attribute.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
        raise ProtocolError(f"function.toml.{key}: {value!r} is not of the form 'module:function'")
    return module, attribute


def _instances(fields: dict[str, object], where: str, pins: dict[str, PinLease]) -> int:
    count = integer(fields, "instances", where, 1, MAX_INSTANCES, 1)
    driven = [each for each in pins if pins[each].direction == "out"]
    if count > 1 and driven:
        raise ProtocolError(f"{where}.instances: {count} workers cannot drive one pin ({driven[0]}); use 1")
    return count


def _overflow(fields: dict[str, object], where: str) -> str:
    value = text(fields, "overflow", where, "drop-oldest")
    if value not in OVERFLOWS:
        raise ProtocolError(f"{where}.overflow: {value!r} is unknown; known are {', '.join(OVERFLOWS)}")
    return value


def _share(fields: dict[str, object], where: str) -> float | None:
    """Processors, from percents of one."""
    if "cpu" not in fields:
        return None
    value = text(fields, "cpu", where)
    if value.endswith("%") and 1 <= count(value[:-1]) <= MAX_CPU:
        return count(value[:-1]) / 100
    raise ProtocolError(f"{where}.cpu: {value!r} is not a share of 1% to {MAX_CPU}%; write '25%' of one processor")


def _state(fields: dict[str, object]) -> StateTable:
    where = "function.toml.state"
    only(fields, ("schema", "size", "migrate"), where)
    migrate = text(fields, "migrate", where, "")
    return StateTable(
        schema=integer(fields, "schema", where, 1, 999_999, 1),
        size=mebibytes(fields, where, MIB, "size"),
        migrate=_handler(migrate, "state.migrate") if migrate else ("", ""),
    )


def _pin(pin: str, value: object) -> PinLease:
    where = f"function.toml.pins.{pin}"
    fields = table(value, where)
    only(fields, ("direction", "safe"), where)
    direction = text(fields, "direction", where, "out")
    if direction not in ("in", "out"):
        raise ProtocolError(f"{where}.direction: {direction!r} is neither 'in' nor 'out'")
    return PinLease(direction, flag(fields, "safe", where, False))


def _bus(bus: str, value: object) -> str:
    where = "function.toml.buses"
    only(table(value, f"{where}.{bus}"), (), f"{where}.{bus}")
    return name(bus, where)
