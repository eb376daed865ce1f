"""The data that the fake shim serves: devices, records and sources, with a small history. It speaks no HTTP.

All methods run on the server's event loop; tests reach them through `Server.do`.
"""

import asyncio
import math
import time
from collections import deque

BOOT = "12-9f3a61c2"
CODE = '''"""Lights the LED when it is darker than the threshold."""


def handler(event, context):
    dark = event.data["lux"] < context.config["threshold"]
    context.pins["led"].value = dark
    if event.data["saturated"]:
        context.log.warning("the sensor is saturated")
    return {"dark": dark}
'''
MANIFEST = """name = "night-light"
handler = "main:handler"
memory = "32M"
timeout = "2s"
models = ["presence"]

[[triggers]]
type = "sensor"
sensor = "light"
every = "200ms"

[pins.led]
direction = "out"
safe = false

[config]
threshold = 100
"""
Json = dict[str, object]


class State:
    """Devices, records and sources. Listeners get (event, id, body) for the stream."""

    def __init__(self, simulated=True):
        self.devices: dict[str, Json] = {}
        self.claims: list[Json] = []
        self.records: deque[Json] = deque(maxlen=20000)
        self.world = {"lux": 120.0, "covered": False, "unplugged": False, "pins": {"led": False}}
        self.sources: dict[tuple[str, str], dict[int, dict[str, str]]] = {}
        self.listeners: set[asyncio.Queue[tuple[str, int | None, Json]]] = set()
        self.seq = 0
        self.simulated = simulated

    def add_device(self, name, functions=("night-light",), **changes):
        files = {"main.py": CODE, "function.toml": MANIFEST}
        self.devices[name] = _device(name, functions, self.simulated) | changes
        for function in functions:
            self.sources[name, function] = {3: dict(files)}

    def emit(self, device, stream, /, kind, **fields):
        self.seq += 1
        now = time.time()
        head = {"id": self.seq, "device": device, "stream": stream, "boot": BOOT, "seq": self.seq}
        record = head | {"time": now, "received": now, "kind": kind} | fields
        self.records.append(record)
        self._tell("record", self.seq, record)

    def changed(self, name):
        """Tells everyone that the device's state is another."""
        self._tell("device", None, self.devices[name])

    def report(self, name, **fields):
        self.devices[name]["reported"].update(fields)
        self.changed(name)

    def history(self, name, seconds=90.0):
        """A past of daylight with two dark spells, as if the board had been running."""
        end = time.time()
        for step in range(int(seconds * 5)):
            at = end - seconds + step / 5
            phase = (seconds - (end - at)) / seconds
            dark = 0.3 < phase < 0.42 or 0.7 < phase < 0.76
            lux = 4.2 + math.sin(step) * 0.6 if dark else 260 + 110 * math.sin(phase * 9) + 14 * math.sin(step / 2.3)
            self.reading(name, lux, 3 if phase > 0.5 else 2, at)

    def reading(self, name, lux, version, at=None):
        at = time.time() if at is None else at
        led = self.decide(name, lux)
        self.drive(name, "led", led, "night-light", at)
        self.emit(name, "telemetry", "reading", sensor="light", lux=round(lux, 2), saturated=False, time=at)
        self.emit(
            name,
            "telemetry",
            "decision",
            function="night-light",
            version=version,
            event=f"e{self.seq}",
            trigger="lamplight.sensor.reading",
            lux=round(lux, 2),
            pins={"led": led},
            result={"dark": led},
            ms=0.7,
            time=at,
        )

    def drive(self, name, pin, level, function="night-light", at=None):
        """The board drives a pin, and says so; nothing when it has that level already."""
        at = time.time() if at is None else at
        outputs = self.devices[name]["reported"]["outputs"]
        before = outputs[pin]["level"] if pin in outputs else None
        self.world["pins"][pin] = level
        if level != before or pin not in outputs:
            outputs[pin] = {"function": function, "level": level, "since": at}
            told = {"pin": pin, "function": function, "level": level, "before": before, "changes": 1}
            self.emit(name, "telemetry", "output", **told, time=at)

    def let_go(self, name, pin):
        """No function holds the pin any more; it was put to rest before."""
        function = self.devices[name]["reported"]["outputs"][pin]["function"]
        self.drive(name, pin, False, function)
        del self.devices[name]["reported"]["outputs"][pin]
        told = {"pin": pin, "function": function, "level": None, "before": False, "changes": 1}
        self.emit(name, "telemetry", "output", **told)
        self.changed(name)

    def decide(self, name, lux):
        reported = self.devices[name]["reported"]["functions"].get("night-light")
        code = self.sources[name, "night-light"][reported["version"]]["main.py"] if reported else ""
        return lux > 100 if '["lux"] >' in code else lux < 100

    def _tell(self, event, id, body):
        for queue in self.listeners:
            queue.put_nowait((event, id, body))


def _device(name, functions, simulated):
    generation = 7 if functions else 0
    sha = "5f2c" * 16
    running = {"sha256": sha, "state": "running", "restarts": 0, "events": 120, "errors": 0, "last_error": ""}
    return {
        "name": name,
        "board": "lamplight/simulated" if simulated else "raspberry-pi/4b",
        "simulated": simulated,
        "online": True,
        "silent": False,
        "last_seen": time.time(),
        "revoked": False,
        "password_until": None,
        "boards": [],
        "desired": {
            "generation": generation,
            "functions": {each: {"version": 3, "config": {"threshold": 100}} for each in functions},
            "models": {"presence": {"version": 1}} if functions else {},
        },
        "reported": {
            "format": 1,
            "board": "lamplight/simulated",
            "agent": "0.1.0",
            "boot": BOOT,
            "generation": generation,
            "previous": max(0, generation - 1),
            "update": {"generation": generation, "state": "IDLE", "reason": "", "bytes": 0, "total": 0},
            "functions": {each: {"version": 3} | running for each in functions},
            "models": {"presence": {"version": 1, "sha256": sha}} if functions else {},
            "sensors": {"light": {"ok": True, "error": ""}},
            "outputs": {"led": {"function": functions[0], "level": False, "since": time.time() - 3600}}
            if functions
            else {},
            "failed": {},
            "confinement": {"memory": "rlimit", "files": "landlock", "network": "seccomp"},
            "disk": {"free": 12_000_000_000, "used": 1_500_000},
            "ai": True,
        },
    }
