"""The previous release's agent and the list of withdrawn releases: it believes what it is sent, and keeps the list."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from device.protocol.withdrawn import Withdrawal
from device.trust import verify
from tests.compatibility.fleets import Installed
from tests.device.harness import Cloud, function_files


def test_an_agent_of_before_believes_the_list_and_its_successor_finds_it(previous: Installed, tmp_path: Path) -> None:
    (tmp_path / "cloud").mkdir()
    (tmp_path / "scratch").mkdir()
    cloud, trusted = Cloud(tmp_path / "cloud"), tmp_path / "trusted.json"
    lamp = cloud.release(function_files())
    cloud.signing.withdraw(Withdrawal("function", "lamp", 1, False, "it burns", 1))
    question = {
        "fleet": "home",
        "device": "desk-pi",
        "floor": 0,
        "signer": [0, ""],
        "clock": time.time(),
        "roots": str(cloud.roots),
        "trusted": str(trusted),
        "scratch": str(tmp_path / "scratch"),
        "parent": os.getpid(),
    }
    command = [sys.executable, "-P", "-m", "device.update.verify", json.dumps(question)]
    environment = {**os.environ, **previous.environment}
    done = subprocess.run(command, input=cloud.desired(1, lamp), capture_output=True, env=environment, check=True)
    answer = json.loads(done.stdout)
    assert answer["ok"], answer
    trusted.write_text(json.dumps(answer["trusted"]))
    assert [each.because for each in verify.withdrawn(trusted)] == ["it burns"]
