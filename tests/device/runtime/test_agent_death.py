"""What is left when the agent is killed, alone or with its zygote: nobody, and outputs at their safe levels."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest
from runtime_bench import alive, until

from device.hal.sim.world import World

# An agent's runtime in a process of its own, with a function that drives the LED to where it is not safe.
AGENT = """
import sys, time
from pathlib import Path
from runtime_bench import Bench
import boards
from device.hal.hardware import Hardware
folder = Path(sys.argv[1])
bench = Bench(folder, hardware=Hardware(boards.load("lamplight/simulated"), folder / "world"))
code = "def handler(event, context): context.pins['led'].value = not {safe}"
bench.run(bench.function(code, toml='[pins.led]\\nsafe = {word}\\n'))
bench.supervisor.call("f", None)
print(bench.supervisor._zygotes.pid, bench.worker("f"), flush=True)
time.sleep(600)
"""


@pytest.fixture
def world(tmp_path):
    command = [sys.executable, "-m", "device.hal.sim", "--socket", str(tmp_path / "world")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline()
    with World.connect(tmp_path / "world") as world:
        yield world
    process.terminate()
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize("together", [False, True], ids=["agent", "agent and zygote"])
@pytest.mark.parametrize("safe", [False, True])
def test_an_agent_that_is_killed_leaves_its_outputs_safe_and_nobody_behind(world, tmp_path, safe, together):
    code = textwrap.dedent(AGENT.format(safe=safe, word=str(safe).lower()))
    agent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    zygote, worker = map(int, agent.stdout.readline().split())
    assert world.state()["pins"]["led"] is not safe
    if together:
        # Neither must get a moment to act on the other's end.
        os.kill(zygote, signal.SIGSTOP)
    os.kill(agent.pid, signal.SIGKILL)
    if together:
        os.kill(zygote, signal.SIGKILL)
    agent.communicate()
    until(lambda: world.state()["pins"]["led"] is safe, "the LED is safe")
    until(lambda: not alive(zygote) and not alive(worker), "nobody is left")
    levels = [change["level"] for change in world.history("led") if change["direction"] == "output"]
    assert levels == [safe, not safe, safe]
