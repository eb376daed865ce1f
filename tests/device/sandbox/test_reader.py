"""Code that took over a process which reads a stranger's bytes: it reaches no other file, no network and no process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")

# Each line tries one thing after the sandbox is closed.
TAKEN_OVER = """
import ctypes, os, socket, sys
from pathlib import Path
from device.sandbox import kernel, landlock, reader

folder, secret = map(Path, sys.argv[1:])
reader.confine(folder)

def fails(attempt):
    try:
        attempt()
    except OSError:
        return True
    return False

assert (folder / "main.py").read_text(), "what it is there for"
assert Path("/proc/self/status").read_text(), "its own size"
assert fails(lambda: socket.socket(socket.AF_INET)), "network"
assert fails(lambda: os.kill(os.getppid(), 0)), "signals"
assert fails(lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), 5)), "another's priority"
assert fails(lambda: os.unshare(0x10000000) if hasattr(os, "unshare") else kernel.unshare(0x10000000)), "namespaces"
assert fails(lambda: os.setuid(0 if os.getuid() else 1)), "another user"
if landlock.version():
    assert fails(lambda: secret.read_text()), "another file"
    assert fails(lambda: Path(f"/proc/self/root{secret}").read_text()), "another file by a way round"
    assert fails(lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes()), "the agent's memory"
    assert fails(lambda: (folder / "main.py").write_text("")), "the artifact itself"
    assert fails(lambda: (folder / "new").write_text("")), "a new file"
"""


def _ended(code: str, *arguments: Path) -> tuple[int, str]:
    """The exit code of an interpreter that ran `code`, and its stderr; without coverage, which would write a file."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[3])
    command = [sys.executable, "-P", "-c", code, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    return ended.returncode, ended.stderr


def test_it_reads_what_it_is_given_and_does_nothing_else(tmp_path: Path) -> None:
    folder, secret = tmp_path / "artifact", tmp_path / "secret"
    folder.mkdir()
    for each in (folder / "main.py", secret):
        each.write_text("some text")
    assert _ended(TAKEN_OVER, folder, secret) == (0, "")


def test_a_kernel_without_filters_reads_on_with_the_rest(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from device.sandbox import kernel, landlock, reader
kernel.has_filters = lambda: False
reader.confine(Path(sys.argv[1]))
assert "NoNewPrivs:\t1" in Path("/proc/self/status").read_text()
assert "Seccomp:\t0" in Path("/proc/self/status").read_text()
"""
    assert _ended(code, tmp_path) == (0, "")


def test_this_kernel_has_filters_as_it_says_itself() -> None:
    from device.sandbox import kernel

    said = Path("/proc/sys/kernel/seccomp/actions_avail")
    assert kernel.has_filters() is said.exists()
