"""Traces and functions from a few lines; a replay runs in a process of its own, as it does for its users."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HEADER = {"trace": 1, "device": "desk-pi", "function": "f", "version": 3, "config": {"threshold": 100}}


def event(number, data=None, trigger="lamplight.sensor.reading", time=1_700_000_000.0, **record):
    """A record as a board makes it."""
    given = {"source": "/home/desk-pi/1-9f3a61c2/it", "time": time + number, "subject": "light", "data": data}
    return {"event": f"f-{number}", "trigger": trigger, "given": given, "pins": {}, "result": None, **record}


class Replays:
    """A folder with a function and a trace."""

    def __init__(self, folder):
        self.folder = folder
        self.trace = folder / "trace.jsonl"

    def function(self, code, toml=""):
        (self.folder / "main.py").write_text(textwrap.dedent(code))
        (self.folder / "function.toml").write_text(f'name = "f"\nhandler = "main:handler"\n{textwrap.dedent(toml)}')

    def record(self, *events, **header):
        lines = [json.dumps(each) for each in ({**HEADER, **header}, *events)]
        self.trace.write_text("\n".join(lines) + "\n")

    def run(self, *options):
        """Exit code, the decisions, and what went to standard error."""
        command = [sys.executable, "-m", "device.replay", str(self.trace), str(self.folder), *options]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.fixture
def replays(tmp_path):
    return Replays(tmp_path)
