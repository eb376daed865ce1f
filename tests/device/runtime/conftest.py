"""Makes the helpers of this folder importable, here and in the zygotes that the tests start."""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
# The zygote is a process of its own; it imports fake_hardware to unpickle it.
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [str(HERE.parents[2]), str(HERE), os.environ.get("PYTHONPATH")])
)


@pytest.fixture
def bench(tmp_path):
    from runtime_bench import Bench

    bench = Bench(tmp_path)
    yield bench
    bench.supervisor.close()
