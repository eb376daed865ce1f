"""A pytest plugin with the fixture `function`: the function under test, on a board made up by the test.

`lamplight test` loads it; in a pytest of one's own, `pytest_plugins = ["cloud_shim.cli.testing"]`. The handler runs in
the test's process, unconfined, under a virtual clock and with the surroundings of a replay (device/replay/).
"""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from device.errors import LamplightError, NotFoundError
from device.event import Event
from device.protocol.messages import HTTP_REQUEST
from device.replay import compare, player, trace
from device.replay.clock import VirtualClock
from device.replay.player import Outcome
from device.replay.trace import Read, Step
from device.triggers.http.message import Request
from device.triggers.http.trigger import event_data

# Some moment, the same each time: 2026-01-01 00:00 UTC.
_BEGINNING = 1767225600.0


class FunctionUnderTest:
    """One function, alive over the events of one test: its module's variables, its state and its outputs stay.

    It reads `sensors` and `inputs` beside its events: set `function.sensors["light"] = 12.5`.
    """

    def __init__(self, folder: Path, clock: VirtualClock) -> None:
        self.sensors: dict[str, float] = {}
        self.inputs: dict[str, bool] = {}
        self.pins: dict[str, bool] = {}
        self.said: list[dict[str, object]] = []
        self._folder = folder
        self._clock = clock
        self._clock.at(_BEGINNING)
        self._numbers = itertools.count(1)
        self._player: player.Player | None = None
        self._config: dict[str, object] = {}
        self._models: list[Path] = []

    def configure(self, **config: object) -> None:
        """Settings over the manifest's; before the first event."""
        self._config = config

    def use(self, *models: str | Path) -> None:
        """The folders of its models, below the function's or absolute; before the first event."""
        self._models = [self._folder / model for model in models]

    def wait(self, seconds: float) -> None:
        """Let time pass, at once."""
        self._clock.at(self._clock.now() + seconds)

    def send(self, type: str, data: object = None, source: str = "test", subject: str = "") -> object:
        """Give it an event; the handler's result. Raises LamplightError when the handler fails."""
        event = Event(f"test-{next(self._numbers)}", source, type, self._clock.now(), data, subject)
        outcome = self._play().handle(Step(event, tuple(self._reads()), {}, None, "", whole=True))
        return self._take(outcome)

    def light(
        self, lux: float, saturated: bool = False, window: list[float] | None = None, sensor: str = "light"
    ) -> object:
        """Give it a reading of its light sensor; the handler's result."""
        data = {"lux": lux, "window": window or [lux], "saturated": saturated}
        return self.send("lamplight.sensor.reading", data, f"sensor/{sensor}", sensor)

    def call(self, data: object = None) -> object:
        """Call it; the handler's result."""
        return self.send("lamplight.call", data, "call")

    def request(
        self, method: str, target: str, body: bytes | str = b"", headers: Mapping[str, str] | None = None
    ) -> object:
        """Give it an HTTP request for `target`, a path with its query; the handler's result, parts joined."""
        sent = body.encode() if isinstance(body, str) else body
        named = {name.lower(): value for name, value in (headers or {}).items()}
        data = event_data(Request(method, target, {"host": "localhost", **named}, sent))
        return self.send(HTTP_REQUEST, data, "http", str(data["path"]))

    def replay(self, path: str | Path) -> list[str]:
        """Run it over a trace, below the function's folder or absolute; the differences from the recording, or []."""
        recorded = trace.load(self._folder / path)
        self._config = {**recorded.header.config, **self._config}
        found: list[str] = []
        repeated = compare.Repeated()
        for outcome in self._play().play(recorded):
            found += [f"{outcome.step.event.id}: {each}" for each in compare.differences(outcome)]
            if repeated.is_enough(outcome):
                break
        return found

    def close(self) -> None:
        """Forget the function."""
        if self._player is not None:
            self._player.close()

    def _play(self) -> player.Player:
        if self._player is None:
            models = player.model_folders(self._models)
            self._player = player.Player(self._folder, self._config, models, self._clock)
        return self._player

    def _reads(self) -> Iterator[Read]:
        yield from (("sensor", name, [lux, False]) for name, lux in self.sensors.items())
        yield from (("pin", name, level) for name, level in self.inputs.items())

    def _take(self, outcome: Outcome) -> object:
        self.pins, self.said = dict(outcome.pins), outcome.said
        if outcome.error:
            raise LamplightError(outcome.error)
        return outcome.result


@pytest.fixture
def function(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[FunctionUnderTest]:
    """The function in the folder of this test."""
    folder = _folder_of(request.path)
    clock = VirtualClock()
    clock.install(monkeypatch.setattr)
    tested = FunctionUnderTest(folder, clock)
    yield tested
    # The next test, perhaps of another function, gets modules of its own.
    tested.close()


def _folder_of(test: Path) -> Path:
    for folder in test.resolve().parents:
        if (folder / "function.toml").exists():
            return folder
    raise NotFoundError(f"{test} belongs to no function", "no folder above it has a function.toml")
