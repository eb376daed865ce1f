"""The life and death of zygote and workers: none is left behind, none is shared by mistake."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from runtime_bench import alive, until

from device.runtime.workers.zygote import _QUIET, environment

ECHO = "def handler(event, context): return event.data"
# A board's agent in a process of its own: one idle function, one that is busy and has started a program.
AGENT = """
import json, sys, time
from pathlib import Path
from runtime_bench import Bench, until
bench = Bench(Path(sys.argv[1]))
idle = bench.function("def handler(event, context): return event.data", "idle")
code = '''
import subprocess, time
def handler(event, context):
    print("child", subprocess.Popen(["sleep", "3600"]).pid)
    time.sleep(3600)
'''
bench.run(idle, bench.function(code, "busy", toml='timeout = "1h"'))
bench.offer("busy")
child = until(lambda: [int(t.split()[1]) for t in bench.records.texts("busy") if t.startswith("child")])[0]
pids = [bench.supervisor._zygotes.pid, bench.worker("idle"), bench.worker("busy"), child]
print(json.dumps(pids), flush=True)
time.sleep(3600)
"""


def start_agent(folder):
    agent = subprocess.Popen([sys.executable, "-c", AGENT, str(folder)], stdout=subprocess.PIPE, text=True)
    return agent, json.loads(agent.stdout.readline())


def end_agent(agent):
    agent.kill()
    agent.wait()
    agent.stdout.close()


# The halves of a text, so that whoever searches for it does not itself have it.
HALVES = ["the first function's ", "token: 4a9f02c7"]
SEARCH = """
import ctypes

def handler(event, context):
    # Having changed its user, a process may not look at itself until it says so (prctl(2), PR_SET_DUMPABLE).
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
    first, second = (half.encode() for half in event.data)
    with open("/proc/self/maps") as maps:
        areas = [line.split()[0].split("-") for line in maps if line.split()[1].startswith("rw")]
    return any(has(ctypes.string_at(int(low, 16), int(high, 16) - int(low, 16)), first, second) for low, high in areas)

def has(content, first, second):
    at = content.find(first)
    while at >= 0 and not content.startswith(second, at + len(first)):
        at = content.find(first, at + 1)
    return at >= 0
"""


def test_an_agent_that_is_killed_leaves_no_process_behind(tmp_path):
    agent, pids = start_agent(tmp_path)
    assert all(alive(pid) for pid in pids)
    end_agent(agent)
    until(lambda: not any(alive(pid) for pid in pids), "the end of all processes")


def test_workers_do_not_outlive_a_killed_zygote(tmp_path):
    agent, (zygote, idle, busy, child) = start_agent(tmp_path)
    os.kill(zygote, signal.SIGKILL)
    until(lambda: not any(alive(pid) for pid in (idle, busy, child)))
    end_agent(agent)


def test_a_killed_zygote_is_replaced_and_its_functions_with_it(bench):
    bench.run(bench.function(ECHO))
    worker, zygote = bench.worker("f"), bench.supervisor._zygotes.pid
    os.kill(zygote, signal.SIGKILL)
    assert bench.records.wait("worker", what="crashed")[0]["detail"] == "ended with the zygote"
    assert bench.supervisor.call("f", 1) == 1
    assert bench.supervisor._zygotes.pid != zygote
    assert bench.worker("f") != worker


def test_the_zygote_has_one_thread_and_survives_what_a_terminal_sends(bench):
    bench.run(bench.function(ECHO))
    zygote = bench.supervisor._zygotes.pid
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(zygote, number)
    bench.run(bench.function(ECHO, version=2))
    assert bench.supervisor._zygotes.pid == zygote
    assert "Threads:\t1\n" in Path(f"/proc/{zygote}/status").read_text()


def test_a_worker_has_no_file_descriptor_of_the_agent_the_zygote_or_another_worker(bench):
    code = "import os\ndef handler(event, context): return len(os.listdir('/proc/self/fd'))"
    bench.run(bench.function(code, "a"), bench.function(code, "b"))
    # stdin, stdout, stderr, its channel, and the listing itself.
    assert [bench.supervisor.call(name, None) for name in "ab"] == [5, 5]


def test_a_worker_finds_nothing_in_its_memory_of_what_another_function_was_given(bench):
    bench.run(first := bench.function(SEARCH, "first", config={"token": "".join(HALVES)}))
    # The search finds what is there to be found.
    assert bench.supervisor.call("first", HALVES) is True
    bench.run(first, bench.function(SEARCH, "second"))
    assert bench.supervisor.call("second", HALVES) is False


def test_switching_and_crashing_leak_no_file_descriptor_and_no_process(bench):
    crash = "import os\ndef handler(event, context): os._exit(1)"
    bench.run(bench.function(ECHO))

    def round_trip(version):
        bench.run(bench.function(crash, version=version))
        bench.offer("f")
        until(lambda: bench.health().restarts == 1)
        bench.run(bench.function(ECHO, version=version + 1))

    def held():
        return len(list(Path("/proc/self/fd").iterdir()))

    round_trip(2)
    before = held()
    for version in range(4, 24, 2):
        round_trip(version)
    until(lambda: held() == before, "every file descriptor given back")
    zygote = bench.supervisor._zygotes.pid
    children = Path(f"/proc/{zygote}/task/{zygote}/children").read_text().split()
    # The other one is the guardian.
    assert children[1:] == [str(bench.worker("f"))]


def test_only_what_cannot_be_a_secret_is_passed_on():
    mine = {"PATH": "/bin", "PYTHONPATH": "/x", "LC_ALL": "C", "BROKER_PASSWORD": "x", "AWS_KEY": "y"}
    assert set(environment(mine)) - set(_QUIET) == {"PATH", "PYTHONPATH", "LC_ALL"}
