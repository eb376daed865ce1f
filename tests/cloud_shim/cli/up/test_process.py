"""A child process from start to end, whatever it does."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from cloud_shim.cli.up.process import Process
from device.errors import LamplightError


def until(condition, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not come to pass"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(listed.strip()) and not listed.startswith("Z")


@pytest.fixture
def python(tmp_path):
    """Makes a Process that runs some Python; all are killed afterwards."""
    made = []

    def make(code: str, *arguments: str) -> Process:
        script = tmp_path / f"child{len(made)}.py"
        script.write_text(textwrap.dedent(code))
        made.append(Process("child", [sys.executable, str(script), *arguments], tmp_path / "logs" / "child.log"))
        return made[-1]

    yield make
    for each in made:
        each.kill()


def test_its_output_of_both_kinds_is_in_its_log(python):
    child = python("import sys; print('out', flush=True); print('err', file=sys.stderr, flush=True)")
    child.start()
    until(lambda: not child.running)
    assert child.last_lines() == ["out", "err"]
    assert child.exit_code == 0


def test_a_child_that_dies_before_it_is_ready_is_an_error_with_its_last_words(python):
    child = python("raise SystemExit('no such broker')")
    child.start()
    with pytest.raises(LamplightError, match="no such broker"):
        child.wait_ready(lambda: False, 30)


def test_a_child_that_is_never_ready_is_an_error(python):
    child = python("import time; time.sleep(600)")
    child.start()
    with pytest.raises(LamplightError, match=r"not ready within 0\.1 s"):
        child.wait_ready(lambda: False, 0.1)


def test_waiting_can_be_cancelled(python):
    child = python("import time; time.sleep(600)")
    child.start()
    child.wait_ready(lambda: False, 600, cancelled=lambda: True)


def test_a_program_that_is_not_there_is_an_error(tmp_path):
    missing = Process("broker", [str(tmp_path / "missing")], tmp_path / "log")
    with pytest.raises(LamplightError):
        missing.start()
        missing.wait_ready(lambda: False, 30)
    missing.kill()


def test_stopping_lets_it_end_by_itself(python, tmp_path):
    child = python(
        """
        import pathlib, signal, sys, time
        def end(*_):
            pathlib.Path(sys.argv[1]).write_text("tidy")
            sys.exit()
        signal.signal(signal.SIGTERM, end)
        print("ready", flush=True)
        time.sleep(600)
        """,
        str(tmp_path / "end"),
    )
    child.start()
    child.wait_ready(lambda: "ready" in child.last_lines(), 30)
    child.stop()
    assert (tmp_path / "end").read_text() == "tidy"
    assert not child.running


def test_a_child_that_ignores_sigterm_is_killed(python):
    child = python(
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
    )
    child.start()
    child.wait_ready(lambda: "ready" in child.last_lines(), 30)
    child.stop(grace=0.1)
    assert not child.running


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_grandchild_goes_with_it(python, end):
    child = python(
        """
        import subprocess, sys, time
        print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid, flush=True)
        time.sleep(600)
        """
    )
    child.start()
    child.wait_ready(lambda: bool(child.last_lines()), 30)
    grandchild = int(child.last_lines()[0])
    assert alive(grandchild)
    getattr(child, end)()
    until(lambda: not alive(grandchild))


def test_it_can_be_started_again_after_it_was_killed(python):
    child = python("import time; print('ready', flush=True); time.sleep(600)")
    for times in (1, 2):
        child.start()
        child.wait_ready(lambda times=times: child.last_lines() == ["ready"] * times, 30)
        child.kill()
        assert not child.running


def test_ending_what_was_never_started_does_nothing(python):
    child = python("")
    child.stop()
    child.kill()
    assert not child.running


def test_it_ends_when_its_parent_is_killed(python, tmp_path):
    parent = python(
        """
        import pathlib, sys, time
        from cloud_shim.cli.up.process import Process
        child = Process("inner", [sys.executable, "-c", "import time; time.sleep(600)"], pathlib.Path(sys.argv[1]))
        child.start()
        print(child.pid, flush=True)
        time.sleep(600)
        """,
        str(tmp_path / "inner.log"),
    )
    parent._environment["PYTHONPATH"] = str(Path(__file__).parents[4])
    parent.start()
    parent.wait_ready(lambda: bool(parent.last_lines()), 30)
    inner = int(parent.last_lines()[0])
    assert alive(inner)
    os.kill(parent.pid, signal.SIGKILL)
    until(lambda: not alive(inner))
