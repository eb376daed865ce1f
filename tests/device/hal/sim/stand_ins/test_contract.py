"""The stand-ins against the modules whose place they take: what they offer is there, called the same way."""

import dataclasses
import inspect
import json
import subprocess
import sys

import pytest

from device.hal.sim.stand_ins import gpiod
from device.hal.sim.stand_ins.smbus import SMBus

# In a process of its own: only there are they sure to be the real ones.
REAL = """
import dataclasses, inspect, json
import gpiod, gpiod.line
from Adafruit_PureIO.smbus import SMBus
def methods(cls):
    return {name: list(inspect.signature(f).parameters) for name, f in inspect.getmembers(cls, inspect.isfunction)}
print(json.dumps({
    "Chip": methods(gpiod.Chip),
    "LineRequest": methods(gpiod.LineRequest),
    "SMBus": methods(SMBus),
    "LineSettings": [field.name for field in dataclasses.fields(gpiod.LineSettings)],
    **{e.__name__: [member.name for member in e] for e in (gpiod.line.Value, gpiod.line.Direction, gpiod.line.Bias)},
}))
"""


@pytest.fixture(scope="module")
def real():
    return json.loads(subprocess.run([sys.executable, "-c", REAL], capture_output=True, check=True, timeout=60).stdout)


@pytest.mark.parametrize(
    ("name", "ours"), [("Chip", gpiod.SimulatedChip), ("LineRequest", gpiod.LineRequest), ("SMBus", SMBus)]
)
def test_methods_have_the_real_parameters_in_their_order(real, name, ours):
    methods = {n: f for n, f in inspect.getmembers(ours, inspect.isfunction) if not n.startswith("_")}
    assert methods
    for method, function in methods.items():
        parameters = list(inspect.signature(function).parameters)
        assert real[name][method][: len(parameters)] == parameters


def test_line_settings_are_a_part_of_the_real_ones(real):
    assert {field.name for field in dataclasses.fields(gpiod.LineSettings)} <= set(real["LineSettings"])


@pytest.mark.parametrize("enum", [gpiod.line.Value, gpiod.line.Direction, gpiod.line.Bias])
def test_enums_have_names_of_the_real_ones(real, enum):
    assert {member.name for member in enum} <= set(real[enum.__name__])
