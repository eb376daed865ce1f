"""A hostile artifact costs the process that looks at it, and nobody else; it reads nothing but the artifact."""

import resource
import sys
from pathlib import Path

import pytest

from device.artifact import inspection
from device.errors import BadArtifactError, LamplightError

REPOSITORY = Path(__file__).parents[3]
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


def test_a_fault_in_a_line_of_megabytes_is_named(function):
    with pytest.raises(BadArtifactError, match=r"main\.py, line 1: .*4300 digits"):
        inspection.inspect(function("x = " + "9" * 4_000_000 + "\n" + HANDLER))


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


@pytest.mark.parametrize("line", ["x = " + "[" * 20_000 + "]" * 20_000, ".".join(["a"] * 20_000) + " = 1"])
def test_a_manifest_nested_too_deeply_is_refused(function, line):
    with pytest.raises(BadArtifactError):
        inspection.inspect(function(HANDLER, MANIFEST + line + "\n"))


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")
def test_nothing_is_read_where_a_mechanism_of_the_kernel_fails(function, monkeypatch):
    """The filter's system call, refused: its number does not exist."""
    (broken := function(HANDLER).parent / "sitecustomize.py").write_text(
        "from device.sandbox import kernel\n"
        "def refuse(program):\n    raise OSError(1, 'no filter today')\n"
        "kernel.install_filter = refuse\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{broken.parent}:{REPOSITORY}")
    with pytest.raises(LamplightError, match="no filter today") as raised:
        inspection.inspect(broken.parent / "function")
    assert not isinstance(raised.value, BadArtifactError)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
def test_checks_that_the_system_kills_say_nothing_of_the_artifact(function, monkeypatch):
    """As the kernel does when memory runs out."""
    (killer := function(HANDLER).parent / "sitecustomize.py").write_text(
        "import os, sys\nif 'device.artifact.inspector' in sys.orig_argv:\n    os.kill(os.getpid(), 9)\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{killer.parent}:{REPOSITORY}")
    with pytest.raises(LamplightError, match="killed") as raised:
        inspection.inspect(killer.parent / "function")
    assert not isinstance(raised.value, BadArtifactError)


def test_a_remedy_arrives(function):
    folder = function(HANDLER)
    (folder / "function.toml").write_text(MANIFEST + 'timout = "5s"\n')
    with pytest.raises(BadArtifactError, match="timeout"):
        inspection.inspect(folder)


def test_a_folder_that_is_nothing_is_said_to_be_nothing(tmp_path):
    with pytest.raises(BadArtifactError, match="neither a function nor a model"):
        inspection.inspect(tmp_path)
