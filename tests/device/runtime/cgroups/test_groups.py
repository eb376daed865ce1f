"""Control groups of the kernel's own, where this machine has some for a test: each limit is tried, not believed.

A controller that is not to be had here is not tried; `held` says which those are.
"""

import contextlib
import json
import signal
import sys
import textwrap
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from delegated import delegated, run  # noqa: E402
from runtime_bench import alive, until  # noqa: E402

from device.runtime.cgroups.group import members  # noqa: E402
from device.runtime.cgroups.places import AGENT, CONTROLLERS  # noqa: E402

SETUP = """
import json, sys, time
from pathlib import Path
from device.runtime.cgroups.groups import take
from device.runtime.cgroups.places import places
from runtime_bench import Bench, alive, until
groups = take(places())
bench = Bench(Path(sys.argv[1]), groups=groups)
neighbour = bench.function("def handler(event, context): return event.data", "neighbour")
def tell(**said):
    print(json.dumps(said), flush=True)
tell(held=groups.held)
"""


@pytest.fixture
def made():
    with delegated() as made:
        yield made


@contextlib.contextmanager
def agent(made, tmp_path, code):
    """An agent's runtime in delegated groups that does `code`: a function that gives what it tells, line by line."""
    process = run(made, SETUP + textwrap.dedent(code) + "\nbench.supervisor.close()", tmp_path)
    try:
        yield lambda: json.loads(process.stdout.readline()), process
    finally:
        process.kill()
        process.communicate()


def children(made):
    return sorted({path.name for place in made for path in place.path.glob("fn-*")})


def test_what_was_delegated_is_held_and_nothing_is_left_when_the_agent_has_ended(made, tmp_path):
    code = """
        bench.run(neighbour)
        tell(answer=bench.supervisor.call("neighbour", 1), pid=bench.worker("neighbour"))
    """
    with agent(made, tmp_path, code) as (told, process):
        held = told()["held"]
        assert set(held) == {name for place in made for name in place.controllers if name in CONTROLLERS}
        said = told()
        assert said["answer"] == 1
        process.wait(60)
    assert children(made) == []


def test_a_worker_is_in_its_group_and_in_version_2_the_agent_in_a_leaf(made, tmp_path):
    code = """
        bench.run(neighbour)
        tell(pid=bench.worker("neighbour"))
        time.sleep(600)
    """
    with agent(made, tmp_path, code) as (told, process):
        told()
        pid = told()["pid"]
        for place in made:
            if place.controllers:
                [group] = place.path.glob("fn-neighbour.run.*")
                assert pid in members(group)
                assert process.pid in members(place.path / AGENT if place.version == 2 else place.path)


def test_the_groups_of_an_agent_that_was_killed_are_ended_and_removed_by_the_next(made, tmp_path):
    stray = """
        bench.run(bench.function('''
        import subprocess
        def handler(event, context): return subprocess.Popen(["sleep", "600"]).pid
        ''', "stray"))
        tell(pid=bench.supervisor.call("stray", None))
        time.sleep(600)
    """
    with agent(made, tmp_path, stray) as (told, process):
        held = told()["held"]
        pid = told()["pid"]
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert bool(children(made)) == bool(held)
    (tmp_path / "next").mkdir()
    with agent(made, tmp_path / "next", "") as (told, process):
        assert told()["held"] == held
        assert children(made) == [] or not held
        until(lambda: not alive(pid) or not held)
        process.wait(60)


def test_a_second_agent_in_the_same_group_leaves_the_first_one_alone(made, tmp_path):
    code = """
        bench.run(neighbour)
        tell(ready=True)
        time.sleep(600)
    """
    (tmp_path / "second").mkdir()
    with agent(made, tmp_path, code) as (told, _):
        told(), told()
        before = children(made)
        with agent(made, tmp_path / "second", "") as (second, process):
            assert second()["held"] == {}
            process.wait(60)
        assert children(made) == before


def test_a_fork_bomb_meets_the_limit_of_all_its_workers_together_and_the_neighbour_answers(made, tmp_path):
    code = """
        bomb = bench.function('''
        import os, time
        def handler(event, context):
            made = 0
            while made < 200:
                try:
                    pid = os.fork()
                except OSError:
                    break
                if not pid:
                    time.sleep(600)
                made += 1
            return made
        ''', "bomb", toml="processes = 8")
        bench.run(bomb, neighbour)
        made = bench.supervisor.call("bomb", None)
        tell(made=made, answer=bench.supervisor.call("neighbour", 1))
    """
    with agent(made, tmp_path, code) as (told, process):
        held = told()["held"]
        said = told()
        assert said["answer"] == 1
        # One of the eight is the worker itself.
        assert said["made"] == (7 if "pids" in held else 15)
        process.wait(60)


def test_a_busy_loop_gets_its_share_of_the_processor_and_no_more(made, tmp_path):
    code = """
        loop = bench.function('''
        import time
        def handler(event, context):
            began, used = time.monotonic(), time.process_time()
            while time.process_time() - used < 0.4:
                pass
            return time.monotonic() - began
        ''', "loop", toml='cpu = "20%"\\ntimeout = "60s"')
        bench.run(loop, neighbour)
        tell(took=bench.supervisor.call("loop", None), texts=bench.records.texts("loop"))
    """
    with agent(made, tmp_path, code) as (told, process):
        held = told()["held"]
        said = told()
        # 0.4 s of work at a fifth of a processor take 2 s; its first period may be had at once.
        assert said["took"] > 1.5 or "cpu" not in held
        assert any("this board cannot" in text for text in said["texts"]) == ("cpu" not in held)
        process.wait(60)


def test_processes_that_together_take_too_much_memory_are_ended_and_it_is_named(made, tmp_path):
    code = """
        hog = bench.function('''
        import os, time
        def handler(event, context):
            if event.data == "peace":
                return "peace"
            for _ in range(12):
                if not os.fork():
                    kept = [bytearray(os.urandom(1 << 20)) for _ in range(8)]
                    time.sleep(600)
            time.sleep(600)
        ''', "hog", toml='memory = "16M"\\nscratch = "1M"\\ntimeout = "15s"')
        bench.run(hog, neighbour)
        bench.offer("hog", "attack")
        until(lambda: bench.health("hog").deaths)
        death = dict(bench.health("hog").deaths)
        told = [r["detail"] for r in bench.records.of("worker", function="hog")]
        again = bench.supervisor.call("hog", "peace")
        tell(death=death, told=told, again=again, answer=bench.supervisor.call("neighbour", 1))
    """
    with agent(made, tmp_path, code) as (told, process):
        held = told()["held"].get("memory")
        said = told()
        assert (said["again"], said["answer"]) == ("peace", 1)
        # Version 1 may end the helpers alone; then the deadline ends the worker.
        assert said["death"] == {"oom": 1} or held != "cgroup v2"
        assert any("met its memory limit" in each for each in said["told"]) == ("oom" in said["death"])
        process.wait(60)
