"""The examples in the docstrings that a writer of functions reads: each runs, with a handler's `event` and `context`.

The state and the model are real ones; pins and the sensor are stand-ins. `logged()` and `published()` tell what the
example sent.
"""

import doctest
import importlib
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.event import Event
from device.hal.sensors.light import Reading
from device.infer.session import load
from device.protocol import model_manifest
from device.runtime.worker.context import Context, InputPin, Leased, Sensor
from device.runtime.worker.reads import forget
from device.runtime.worker.state import State
from models import presence

MODULES = (
    "lamplight",
    "device.event",
    "device.runtime.worker.context",
    "device.runtime.worker.log",
    "device.runtime.worker.state",
    "device.infer.session",
)
# What a handler touches: each has an example of its own.
PUBLIC = {
    "lamplight",
    "device.event.Event",
    "device.event.Event.cloudevent",
    "device.runtime.worker.context.Context",
    "device.runtime.worker.context.Context.publish",
    "device.runtime.worker.context.Context.remaining",
    "device.runtime.worker.log.FunctionLog",
    "device.runtime.worker.context.InputPin",
    "device.runtime.worker.context.Pin",
    "device.runtime.worker.context.Sensor",
    "device.runtime.worker.state.State",
    "device.infer.session.Model",
}


class Line:
    """A pin."""

    value = False

    def close(self) -> None:
        """Nothing is open."""


class Light:
    """A sensor in a room with 12.5 lux."""

    def read(self) -> Reading:
        return Reading(12.5, False)

    def close(self) -> None:
        """Nothing is open."""


def examples() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [each for name in MODULES for each in finder.find(importlib.import_module(name), name)]
    return [each for each in found if each.examples]


@pytest.fixture
def surroundings(tmp_path: Path) -> Iterator[dict[str, object]]:
    sent: list[dict[str, object]] = []
    state = State(tmp_path / "state", 1 << 20, forget)
    folder = Path(presence.__file__).parent
    declared = model_manifest.model(tomllib.loads((folder / "model.toml").read_text()))
    context = Context(
        "night-light",
        3,
        {"threshold": 50},
        {"led": Line(), "button": InputPin("button", Line(), forget)},
        {"light": Sensor("light", Light(), forget)},
        Leased(["presence"], lambda name: load(folder, declared), "model", ""),
        state,
        sent.append,
    )
    context.deadline = float("inf")
    data = {"lux": 12.5, "window": [12.5], "saturated": False}
    with state:
        yield {
            "event": Event("7", "sensor/light", "lamplight.sensor.reading", 1767225600.0, data, "light"),
            "context": context,
            "logged": lambda: [f"{each['level']}: {each['text']}" for each in sent if each["is"] == "log"],
            "published": lambda: [(each["topic"], each["data"]) for each in sent if each["is"] == "publish"],
        }
    state.close()


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_an_example_gives_what_it_says(example: doctest.DocTest, surroundings: dict[str, object]) -> None:
    example.globs.update(surroundings)
    said: list[str] = []
    assert doctest.DocTestRunner().run(example, out=said.append).failed == 0, "".join(said)


def test_what_a_function_uses_has_an_example() -> None:
    assert {each.name for each in examples()} >= PUBLIC
