"""Functions find the libraries that workers share with them, and none that the agent has for itself."""

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

from device.runtime.zygote.libraries import SHARED
from tests import installed

# What a worker has in memory before its function's code; the chip's driver comes when its sensor is opened.
ROOTS = ("adafruit-blinka", "gpiod", "adafruit-circuitpython-tsl2561", "numpy", "onnxruntime")
CODE = """
import importlib, sys
from device.runtime.zygote import libraries
libraries.hide()
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
        print(name)
    except ModuleNotFoundError as error:
        assert error.name == name.partition(".")[0]
"""


def found(*names: str, path: Path | None = None) -> list[str]:
    """Those of the modules that a process finds once the agent's are hidden."""
    environment = dict(os.environ)
    if path:
        environment["PYTHONPATH"] = str(path)
    command = [sys.executable, "-P", "-c", CODE, *names]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.split()


def modules(project: str) -> set[str]:
    """The names that an import finds of it, at the top."""
    files = importlib.metadata.distribution(project).files or ()
    tops = {each.parts[0] for each in files if each.suffix in (".py", ".so", ".pyi") and len(each.parts) < 3}
    return {each.partition(".")[0] for each in tops if each.partition(".")[0].isidentifier()}


def test_the_agents_own_libraries_are_not_there_and_the_shared_ones_are() -> None:
    hidden = ("paho", "paho.mqtt.client", "tuf", "zstandard", "cronsim", "starlette", "pytest", "pip")
    shared = ("json", "device.event", "lamplight", "numpy", "adafruit_bus_device", "typing_extensions", "tzdata")
    assert found(*hidden, *shared) == [*shared]


def test_a_library_that_is_installed_elsewhere_is_its_owners_to_use(tmp_path: Path) -> None:
    (tmp_path / "zstandard.py").write_text("")
    (tmp_path / "picamera2").mkdir()
    (tmp_path / "picamera2" / "__init__.py").write_text("")
    assert found("zstandard", "picamera2", "paho", path=tmp_path) == ["zstandard", "picamera2"]


def test_the_agents_folder_on_a_board_has_its_code_and_libraries_side_by_side(tmp_path: Path) -> None:
    site = Path(importlib.metadata.distribution("paho-mqtt").locate_file("paho")).parent
    ours = Path(__file__).parents[4]
    for name in ("paho", "numpy", "numpy.libs"):
        (tmp_path / name).symlink_to(site / name)
    for name in ("device", "boards", "lamplight"):
        (tmp_path / name).symlink_to(ours / name)
    (tmp_path / "secret_helper.py").write_text("")
    assert found("secret_helper", "paho", "device.event", "numpy", path=tmp_path) == ["device.event", "numpy"]


def test_the_shared_ones_are_what_the_workers_libraries_declare() -> None:
    projects = {*installed.projects([*ROOTS, "tzdata"])}
    assert projects <= {*SHARED}
    for project in projects:
        assert modules(project) <= {*SHARED[project]} | {"__pycache__"}, project
    stale = {*SHARED} - projects - {"lamplight"}
    assert stale == set()
