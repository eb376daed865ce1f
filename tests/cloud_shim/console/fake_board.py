"""How the fake shim's board behaves: readings at 5 Hz, and updates that end as their code asks for."""

import asyncio
import math

LONG_REASON = (
    "night-light: pins.relay: the board lamplight/simulated has no pin 'relay'; it has led. "
    "Traceback: " + " / ".join(f"device.hal.leases line {n}: {'x' * 40}" for n in range(12)) + " <b>not bold</b>"
)


class Board:
    """One board. `tempo` is the seconds between two steps of an update."""

    def __init__(self, state, name, tempo=0.15):
        self.state = state
        self.name = name
        self.tempo = tempo
        self.silent = False
        self._step = 0

    async def run(self):
        while True:
            await asyncio.sleep(0.2)
            if not self.silent:
                self.tick()

    def tick(self):
        device, world = self.state.devices[self.name], self.state.world
        if not device["online"] or world["unplugged"] or not device["reported"]["functions"]:
            return
        self._step += 1
        lux = 0.4 if world["covered"] else world["lux"] * (1 + 0.03 * math.sin(self._step / 3))
        before = world["pins"]["led"]
        version = device["reported"]["functions"]["night-light"]["version"]
        self.state.reading(self.name, lux, version)
        if world["pins"]["led"] != before:
            self.log("info", f"{'dark' if lux < 100 else 'light'} at {lux:.1f} lux: LED {'off' if before else 'on'}")

    def log(self, level, text):
        version = self.state.devices[self.name]["reported"]["functions"]["night-light"]["version"]
        self.state.emit(self.name, "logs", "log", function="night-light", version=version, level=level, text=text)

    def plug(self, unplugged):
        error = "no answer at 0x39 on i2c (NACK)" if unplugged else ""
        self.state.report(self.name, sensors={"light": {"ok": not unplugged, "error": error}})
        self.state.emit(self.name, "events", "sensor", sensor="light", ok=not unplugged, error=error)

    async def install(self, generation, function, version):
        """Goes through the states of an update to `function` at `version`, as the code asks for."""
        code = self.state.sources[self.name, function][version]["main.py"]
        for step in ("VERIFIED", "FETCHING", "STAGED"):
            await self._enter(generation, step)
        if "reject" in code:
            await self._fail(generation, function, version, "REJECTED", LONG_REASON)
            return
        before = dict(self.state.devices[self.name]["reported"]["functions"][function])
        self._run(function, before | {"version": version})
        await self._enter(generation, "TRIAL")
        if "crash" in code:
            self._run(function, before)
            reason = f"{function}: crashed 3 times in its trial: ZeroDivisionError"
            await self._fail(generation, function, version, "REVERTED", reason)
            return
        self.state.devices[self.name]["reported"].update(generation=generation, previous=generation - 1)
        await self._enter(generation, "COMMITTED")

    def _run(self, function, state):
        self.state.devices[self.name]["reported"]["functions"][function] = state

    async def _enter(self, generation, step, reason=""):
        self.state.emit(self.name, "events", "update", generation=generation, state=step, reason=reason)
        update = {"generation": generation, "state": step, "reason": reason, "bytes": 10240, "total": 20480}
        self.state.report(self.name, update=update)
        await asyncio.sleep(self.tempo)

    async def _fail(self, generation, function, version, step, reason):
        told = {"generation": generation, "state": step, "reason": reason, "time": 1.0}
        self.state.devices[self.name]["failed"] = [{"kind": "function", "name": function, "version": version, **told}]
        self.state.devices[self.name]["reported"]["failed"][str(generation)] = reason
        await self._enter(generation, step, reason)
