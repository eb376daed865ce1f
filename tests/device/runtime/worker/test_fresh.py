"""A worker looks freshly started to its function, whatever its zygote ran before."""

import re
from pathlib import Path

import pytest

LOOK = Path(__file__).parent / "process_state.py"
# The differences without a bearing on a function, each with its reason.
HARMLESS = (
    # Addresses in memory, texts made from the order of a set, and the moment of the start.
    r"_?ctypes\._\w+_addr|tokenize\.\w+|logging\._startTime",
    # More modules are loaded than at a fresh start, with types and patterns of theirs: this is what a zygote is for.
    r"sys\.(modules|path_importer_cache|path_hooks|meta_path)|re\._cache|_?ctypes\._pointer_type_cache|copyreg\.\w+",
    # The two handlers that lead to the function's log.
    r"logging\._handlerList",
    # The zygote's main thread is this one, and its lock has been given up by the fork.
    r"threading\._shutdown_locks",
)


def state(bench, toml=""):
    code = "import process_state\ndef handler(event, context): return process_state.differences()"
    made = bench.function(code, toml=f"memory = '128M'\ntimeout = '60s'\n{toml}")
    (made.path / LOOK.name).write_text(LOOK.read_text())
    bench.run(made)
    return bench.supervisor.call("f", None)


def test_no_state_of_the_zygote_shows_in_a_worker(bench):
    harmless = re.compile("|".join(HARMLESS))
    # A value not found out yet shows nothing.
    found = {name: each for name, each in state(bench).items() if each[0] != "None"}
    assert {name: each for name, each in found.items() if not harmless.fullmatch(name)} == {}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("tempfile.gettempdir()", "scratch"),
        ("str(pathlib.Path.home())", "scratch"),
        ("os.environ['HOME']", "scratch"),
        ("getpass.getuser()", "f"),
        ("os.environ['LOGNAME']", "f"),
        ("os.path.basename(sys.argv[0])", "main.py"),
        ("argparse.ArgumentParser().parse_args().__dict__", {}),
        ("getattr(sys.modules['__main__'], '__file__', None)", None),
        ("tempfile.NamedTemporaryFile().write(b'x')", 1),
        ("len({random.random() for _ in range(3)})", 3),
    ],
)
def test_the_place_looks_like_home(bench, expression, expected):
    names = "argparse, getpass, os, pathlib, random, sys, tempfile"
    bench.run(bench.function(f"import {names}\ndef handler(event, context): return {expression}"))
    said = bench.supervisor.call("f", None)
    assert said == (str(bench.folder / "scratch" / "run" / "f") if expected == "scratch" else expected)
