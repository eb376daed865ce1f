"""A hostile artifact costs the process that looks at it, and nobody else; it reads nothing but the artifact."""

import resource
import subprocess
import sys

import pytest

from device.artifact import inspection
from device.errors import BadArtifactError, LamplightError

HANDLER = "def handler(event, context):\n    pass\n"
MANIFEST = 'name = "boom"\nhandler = "main:handler"\n'
MIB = 1024 * 1024
# Each is small, and takes hundreds of megabytes or minutes to compile.
HUGE = {
    "tuple": "x = (" + "1," * 3_000_000 + ")\n",
    "calls": "x = f" + "()" * 200_000 + "\n",
    "sum": "x = 1" + "+1" * 300_000 + "\n",
    "branches": "if 0: pass\n" + "elif 0: pass\n" * 50_000,
    "parentheses": "x = " + "(" * 50_000 + ")" * 50_000 + "\n",
    "lines": "x = [1, 2, 3]\n" * 400_000,
}


@pytest.fixture
def function(tmp_path):
    def make(source, manifest=MANIFEST):
        folder = tmp_path / "function"
        folder.mkdir()
        (folder / "function.toml").write_text(manifest)
        (folder / "main.py").write_text(source)
        return folder

    return make


def peak():
    """The most memory this process ever had resident, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1024 if sys.platform == "linux" else 1)


def test_a_good_function_is_named(function):
    found = inspection.inspect(function(HANDLER))
    assert (found.kind, found.name) == ("function", "boom")


def test_a_fault_is_told_in_the_words_of_the_checks(function):
    with pytest.raises(BadArtifactError, match=r"main\.py, line 1"):
        inspection.inspect(function("def handler(event, context:\n"))


@pytest.mark.parametrize("kind", HUGE)
def test_code_that_takes_too_much_is_refused_and_costs_this_process_nothing(function, kind):
    folder = function(HUGE[kind] + HANDLER)
    before = peak()
    with pytest.raises(BadArtifactError):
        inspection.inspect(folder)
    assert peak() - before < 16 * MIB


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds a process's memory")
@pytest.mark.parametrize("kind", ["tuple", "lines"])
def test_the_error_names_the_limit(function, kind):
    with pytest.raises(inspection.BeyondLimitError, match="256 MiB of memory"):
        inspection.inspect(function(HUGE[kind] + HANDLER))


def test_the_limit_on_time_is_named(function, monkeypatch):
    monkeypatch.setattr(inspection, "TIMEOUT", 0.001)
    with pytest.raises(inspection.BeyondLimitError, match=r"more than 0\.001 s"):
        inspection.inspect(function(HANDLER))


# A stand-in for code that took over the process: each line tries one thing after the sandbox is closed.
TAKEN_OVER = """
import os, socket, sys
from pathlib import Path
from device.artifact import inspector
from device.runtime.confinement import landlock
inspector._limit()
inspector._confine(Path(sys.argv[1]))
def fails(attempt):
    try:
        attempt()
    except OSError:
        return True
    return False
assert Path(sys.argv[1], "main.py").read_text()
assert fails(lambda: socket.socket(socket.AF_INET)), "network"
assert fails(lambda: os.kill(os.getppid(), 0)), "signals"
if landlock.version():
    assert fails(lambda: Path(sys.argv[2]).read_text()), "another file"
    assert fails(lambda: Path(sys.argv[1], "main.py").write_text("")), "the artifact itself"
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")
def test_the_process_that_looks_reaches_no_other_file_no_network_and_no_process(function, tmp_path):
    folder = function(HANDLER)
    secret = tmp_path / "secret"
    secret.write_text("secret")
    ended = subprocess.run(
        [sys.executable, "-c", TAKEN_OVER, folder, secret], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("line", ["x = " + "[" * 20_000 + "]" * 20_000, ".".join(["a"] * 20_000) + " = 1"])
def test_a_manifest_nested_too_deeply_is_refused(function, line):
    with pytest.raises(BadArtifactError):
        inspection.inspect(function(HANDLER, MANIFEST + line + "\n"))


WITHOUT_FILTER = """
import os, sys
from device.artifact import inspector
from device.runtime.confinement import kernel
def refuse(program):
    raise OSError(22, "no seccomp")
kernel.install_filter = refuse
sys.argv = ["inspector", sys.argv[1], str(os.getppid())]
inspector.main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")
def test_nothing_is_read_where_the_filter_cannot_be_installed(function):
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_FILTER, function(HANDLER)], capture_output=True, text=True, check=False
    )
    assert '"unlooked": true' in ended.stdout, ended.stderr
    with pytest.raises(LamplightError, match="no seccomp") as raised:
        inspection._judge(ended.returncode, ended.stdout.encode())
    assert not isinstance(raised.value, BadArtifactError)
