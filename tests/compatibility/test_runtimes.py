"""An agent of the release before refuses a function of a cloud by its own words, and names the key."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

(WHEEL,) = Path(__file__).parent.glob("lamplight-*.whl")
SCRIPT = "import json, sys\nfrom device.protocol import manifest\nmanifest.function(json.loads(sys.argv[1]))"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"runtime": "aws-lambda", "handler": "app.handler"}, "function.toml.runtime: 'aws-lambda' is unknown"),
        ({"environment": {"A": "b"}, "handler": "app:handler"}, "unknown key 'environment'"),
    ],
)
def test_the_previous_agent_names_the_key(fields, said):
    command = [sys.executable, "-P", "-S", "-c", SCRIPT, json.dumps({"name": "f", **fields})]
    done = subprocess.run(command, env={"PYTHONPATH": str(WHEEL)}, capture_output=True, text=True)
    assert done.returncode == 1
    assert said in done.stderr
