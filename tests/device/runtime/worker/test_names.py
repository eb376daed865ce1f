"""Names belong to whoever writes the function: each in a process of its own, for imports are the process's."""

import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from device.runtime.worker.names import Names, top_level

ROOT = Path(__file__).parents[4]
# As in a worker: the agent's modules are there already, and others still to be imported.
_RUN = """
import sys, json
sys.path.insert(0, {root!r})
import device.runtime.worker.process
from pathlib import Path
from device.runtime.worker import handler
from device.runtime.worker.names import Names
sys.path.insert(0, {layer!r})
names = Names(Path({bundle!r}))
handle = handler.find(names, {module!r}, "handler")
print(json.dumps(handle(None, None)))
{after}
"""


def written(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return folder


def run(tmp_path: Path, files: Mapping[str, str], module: str = "main", after: str = "", layer: str = "") -> str:
    bundle = written(tmp_path / "bundle", files)
    code = _RUN.format(root=str(ROOT), bundle=str(bundle), module=module, after=after, layer=layer)
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# The agent's, the standard library's (imported already, or not), Blinka's, a library's, Python's built in.
@pytest.mark.parametrize(
    "name",
    [
        *("device", "boards", "lamplight", "cloud_shim", "calendar", "json", "random", "types", "logging", "queue"),
        *("board", "busio", "numpy", "paho", "tuf", "time", "test", "antigravity", "models", "helper"),
    ],
)
def test_a_function_s_own_file_comes_first_for_the_function(tmp_path: Path, name: str) -> None:
    files = {f"{name}.py": "WHO = 'mine'", "main.py": f"import {name}\ndef handler(e, c): return {name}.WHO"}
    assert run(tmp_path, files) == '"mine"'


@pytest.mark.parametrize("name", ["device", "calendar", "board", "helper"])
@pytest.mark.parametrize(
    "form",
    [
        "import {0} as it",
        "from {0} import inner; import {0} as it",
        "import {0}.inner as inner; import {0} as it",
        "import {0}.inner; it = {0}; inner = it.inner",
        "import importlib; it = importlib.import_module('{0}'); inner = importlib.import_module('{0}.inner')",
        "from . import {0} as it; from .{0} import inner",
        "it = __import__('{0}'); from {0}.inner import THERE; inner = it.inner",
    ],
)
def test_in_every_form_of_an_import_and_as_a_package(tmp_path: Path, name: str, form: str) -> None:
    files = {
        f"{name}/__init__.py": f"WHO = 'mine'\nfrom . import inner\nfrom {name}.inner import THERE",
        f"{name}/inner.py": f"import {name}\nfrom .. import beside\nTHERE = 'there ' + beside.WHO",
        "beside.py": "WHO = 'beside'",
        "main.py": form.format(name)
        + f"\nimport {name}.inner as inner\ndef handler(e, c): return [it.WHO, inner.THERE]",
    }
    assert run(tmp_path, files) == '["mine", "there beside"]'


def test_a_module_is_one_module_however_it_is_imported(tmp_path: Path) -> None:
    files = {
        "device.py": "import helper\nseen = []",
        "helper.py": "from . import device as d\nfrom device import seen\nimport device\nassert d is device",
        "main.py": """
            import device, helper, importlib
            from . import device as again, helper as too
            def handler(e, c):
                return [device is again, helper is too, importlib.import_module("device") is device,
                        helper.d is device]
        """,
    }
    files["helper.py"] = "from . import device as d"
    assert run(tmp_path, files) == "[true, true, true, true]"


def test_the_agent_and_the_libraries_go_on_finding_theirs(tmp_path: Path) -> None:
    written(tmp_path / "layer", {"lib/__init__.py": "import calendar, random, device\nWHO = [calendar.TUESDAY]"})
    files = {
        "device.py": "WHO = 'mine'",
        "calendar.py": "WHO = 'mine'",
        "random.py": "WHO = 'mine'",
        "board.py": "WHO = 'mine'",
        "copyreg.py": "WHO = 'mine'",
        "_strptime.py": "WHO = 'mine'",
        "main.py": """
            import calendar, device, random, board, lib, tempfile, datetime, pickle, decimal
            from lamplight import Context, Event
            def handler(e, c):
                day = datetime.datetime.strptime("2026-01-02", "%Y-%m-%d").isoformat()
                event = pickle.loads(pickle.dumps(Event("1", "s", "t", 0.0, None)))
                return [device.WHO, calendar.WHO, random.WHO, lib.WHO, day, event.id, len(tempfile.mktemp()) > 0]
        """,
    }
    after = """
import device.infer.limits, device.protocol.topics, importlib
assert importlib.import_module("device.infer.golden").__name__ == "device.infer.golden"
from device.function import Context
"""
    said = run(tmp_path, files, after=after, layer=str(tmp_path / "layer"))
    assert said == '["mine", "mine", "mine", [1], "2026-01-02T00:00:00", "1", true]'


def test_pickles_dataclasses_and_type_hints_of_such_a_module_work(tmp_path: Path) -> None:
    files = {
        "device.py": """
            from __future__ import annotations
            import dataclasses, typing
            @dataclasses.dataclass
            class Lamp:
                level: int
                kind: typing.ClassVar[str] = "lamp"
                name: dataclasses.KW_ONLY
        """,
        "main.py": """
            import copy, device, pickle, typing
            def handler(e, c):
                lamp = pickle.loads(pickle.dumps(device.Lamp(3)))
                return [lamp == device.Lamp(3), copy.deepcopy(lamp).level, len(typing.get_type_hints(device.Lamp))]
        """,
    }
    assert run(tmp_path, files) == "[true, 3, 3]"


@pytest.mark.parametrize("module", ["device", "calendar", "json.main", "test.main"])
def test_the_handler_itself_may_be_in_such_a_module(tmp_path: Path, module: str) -> None:
    files = {f"{module.replace('.', '/')}.py": "def handler(e, c): return __name__"}
    assert module in run(tmp_path, files, module)


def test_an_import_in_a_handler_and_in_a_thread_is_led_too(tmp_path: Path) -> None:
    files = {
        "calendar.py": "WHO = 'mine'",
        "main.py": """
            import threading
            def handler(e, c):
                seen = []
                def look():
                    import calendar
                    seen.append(calendar.WHO)
                thread = threading.Thread(target=look)
                thread.start()
                thread.join()
                look()
                return seen
        """,
    }
    assert run(tmp_path, files) == '["mine", "mine"]'


@pytest.mark.parametrize("line", ["from . import calender", "from .calender import x", "from . import calendar"])
def test_what_is_not_in_the_folder_is_not_taken_from_elsewhere_by_a_dot(tmp_path: Path, line: str) -> None:
    main = f"try:\n    {line}\nexcept ModuleNotFoundError as e:\n    said = e.name\ndef handler(e, c): return said"
    assert run(tmp_path, {"main.py": main}) == f'"{line.split()[-1] if line.count("import c") else "calender"}"'


def test_a_function_with_names_of_its_own_only_costs_no_hook(tmp_path: Path) -> None:
    import builtins

    before = builtins.__import__
    names = Names(written(tmp_path, {"main.py": "import json", "lux_curve.py": ""}))
    assert builtins.__import__ is before
    names.release()


def test_release_forgets_the_function(tmp_path: Path) -> None:
    import builtins
    import importlib

    before = builtins.__import__, importlib.import_module, [*sys.path], set(sys.modules)
    names = Names(
        written(tmp_path, {"main.py": "import calendar\nimport lux_curve", "calendar.py": "", "lux_curve.py": ""})
    )
    assert names.load("main").calendar.__file__ == str(tmp_path / "calendar.py")
    names.release()
    assert (builtins.__import__, importlib.import_module, sys.path, set(sys.modules)) == before


def test_what_is_installed_in_an_environment_within_the_folder_is_not_the_function_s(tmp_path: Path) -> None:
    site = tmp_path / "bundle/.venv/lib/python3/site-packages"
    written(site, {"lib.py": "import calendar\nWHO = calendar.TUESDAY"})
    files = {"calendar.py": "", "main.py": "import lib\ndef handler(e, c): return lib.WHO"}
    assert run(tmp_path, files, layer=str(site)) == "1"


def test_folders_without_code_are_no_modules(tmp_path: Path) -> None:
    written(tmp_path, {"main.py": "", "data/a.json": "{}", "pkg/sub/x.py": "", "ext.abi3.so": "", "a-b.py": ""})
    assert set(top_level(tmp_path)) == {"main", "pkg", "ext"}
