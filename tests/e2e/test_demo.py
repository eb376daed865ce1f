"""`lamplight demo`: every step of it, on real parts, broker cut and agent restarted included."""

import subprocess

from tests.e2e.conftest import LAMPLIGHT


def test_every_step_of_the_demo_succeeds() -> None:
    done = subprocess.run([*LAMPLIGHT, "demo"], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
