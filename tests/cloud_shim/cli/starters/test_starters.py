"""The starters do what they say, in a context of the test's own."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

import boards
from cloud_shim.cli import starters
from device.event import Event
from device.hal import leases
from device.protocol import manifest

REPOSITORY = Path(__file__).parents[4]


def load(name):
    """The starter's manifest and its handler."""
    folder = starters.path(name)
    checked = manifest.function(tomllib.loads((folder / "function.toml").read_text()))
    spec = importlib.util.spec_from_file_location(f"starter_{name}", folder / f"{checked.module}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return checked, getattr(module, checked.attribute)


class Log(list):
    """Keeps what is logged."""

    def info(self, text):
        self.append(text)


def context(checked, **more):
    pins = {name: SimpleNamespace(value=pin.safe) for name, pin in checked.pins.items()}
    return SimpleNamespace(pins=pins, config=checked.config, log=Log(), **more)


def event(data):
    return Event("1", "test", "test", 0.0, data)


@pytest.mark.parametrize("name", starters.names())
def test_its_manifest_is_well_formed_and_named_as_its_folder(name):
    assert load(name)[0].name == name


@pytest.mark.parametrize("board", ["lamplight/simulated", "raspberry-pi/4b"])
@pytest.mark.parametrize("name", starters.names())
def test_every_board_has_what_it_needs(name, board):
    leases.check(boards.load(board), [load(name)[0]])


@pytest.mark.parametrize(("lux", "lit"), [(320.0, False), (100.0, False), (99.0, True), (0.0, True)])
def test_night_light_is_lit_below_its_threshold(lux, lit):
    checked, handler = load("night-light")
    ctx = context(checked)
    handler(event({"lux": lux, "window": [lux], "saturated": False}), ctx)
    assert ctx.pins["led"].value is lit


def test_blink_changes_at_each_tick():
    checked, handler = load("blink")
    ctx = context(checked)
    seen = []
    for _ in range(3):
        handler(event({"missed": 0}), ctx)
        seen.append(ctx.pins["led"].value)
    assert seen == [True, False, True]


@pytest.mark.parametrize(("data", "name"), [({"name": "Ada"}, "Ada"), ({}, "world"), (None, "world")])
def test_hello_greets(data, name):
    checked, handler = load("hello")
    ctx = context(checked)
    assert handler(event(data), ctx) == {"greeting": f"Hello, {name}!"}
    assert ctx.log == [f"greeting {name}"]


@pytest.mark.parametrize(
    ("window", "label", "lit"),
    [
        ([30.0] * 32, "present", True),
        ([30.0] * 32, "absent", False),
        ([320.0] * 32, "present", False),
        ([320.0] * 16 + [3.0] * 16, "present", False),
    ],
)
def test_presence_light_is_lit_in_the_dark_when_someone_is_there(window, label, lit):
    checked, handler = load("presence-light")
    model = SimpleNamespace(run=lambda values: SimpleNamespace(label=label))
    ctx = context(checked, models={"presence": model})
    handler(event({"lux": window[-1], "window": window, "saturated": False}), ctx)
    assert ctx.pins["led"].value is lit


@pytest.mark.parametrize(
    ("method", "body", "answer", "lit"),
    [("GET", "", {"lit": True}, True), ("PUT", "off\n", {"lit": False}, False), ("PUT", "on", {"lit": True}, True)],
)
def test_lamp_api_sets_and_tells(method, body, answer, lit):
    checked, handler = load("lamp-api")
    ctx = context(checked)
    ctx.pins["led"].value = True
    assert handler(event({"method": method, "body": body}), ctx) == answer
    assert ctx.pins["led"].value is lit


def test_lamp_api_refuses_what_is_neither_on_nor_off():
    checked, handler = load("lamp-api")
    assert handler(event({"method": "PUT", "body": "blink"}), context(checked))["status"] == 400


@pytest.mark.parametrize("name", starters.names())
def test_its_own_tests_pass_as_a_person_runs_them(name, tmp_path):
    (tmp_path / "models").symlink_to(REPOSITORY / "models")
    shutil.copytree(starters.path(name), tmp_path / "mine")
    command = [sys.executable, "-m", "cloud_shim.cli.main", "test", "mine", "--", "-rs"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout
