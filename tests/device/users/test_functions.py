"""A real agent's runtime of an ordinary user, with the helper and without: whose its workers are, and their state."""

import json
import os
import shutil
import site
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from device.users.helper import FIRST_USER, USERS
from tests.device.users.serving import SERVICE_USER, Served, served
from tests.support import until

REPOSITORY = Path(__file__).parents[3]
# One that an ordinary user can run; a developer's own may lie in a closed home.
PYTHON = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/bin:/usr/local/bin")
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or not PYTHON, reason="needs root, and a Python for everybody"
)
# A group of the service's, as i2c and gpio are: `dialout`.
DEVICES = 20
# As flashing/on_board/lamplight.service has it: no capability, and none to be gained.
AS_THE_SERVICE = [
    *("setpriv", f"--reuid={SERVICE_USER}", f"--regid={SERVICE_USER}", f"--groups={DEVICES}"),
    *("--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"),
]
# What every program below begins with: a board's runtime in `bench`.
BEGIN = """
import json, os, sys, time
from pathlib import Path
from device.users import asking
asking.SOCKET = Path(sys.argv[2])
from device.runtime.confinement.report import confinement, demand
said = confinement({})
from runtime_bench import Bench, alive, until
bench = Bench(Path(sys.argv[1]))
made = bench.function
def function(*given, **more):
    installed = made(*given, **more)
    # As the store leaves them, whatever the umask.
    for each in (installed.path, *installed.path.rglob("*")):
        each.chmod(0o755 if each.is_dir() else 0o644)
    return installed
bench.function = function
def tell(told):
    print(json.dumps(told), flush=True)
def user(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Uid:")).split()[1])
COUNT = '''
def handler(event, context):
    context.state["n"] = context.state.get("n", 0) + 1
    return context.state["n"]
'''
MIGRATE = COUNT + '''
def migrate(state, schema):
    state["n"] = state["n"] + 100
'''
SECOND = '[state]\\nschema = 2\\nmigrate = "main:migrate"\\n'
def count(version, **more):
    bench.run(bench.function(COUNT, version=version, **more))
    return bench.supervisor.call("f", None)
def remove():
    bench.run()
    bench.supervisor.keep([])
def second(version):
    bench.run(bench.function(MIGRATE, version=version, toml=SECOND))
    return bench.supervisor.call("f", None)
"""


class Home:
    """An agent's folder, and its runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, code: str, path: "Path | str") -> "subprocess.Popen[str]":
        """A run of `code` after BEGIN, as the service's user, with the helper at `path`."""
        more = [REPOSITORY, REPOSITORY / "tests/device/runtime", *site.getsitepackages(), *filter(None, sys.path)]
        return subprocess.Popen(
            [*AS_THE_SERVICE, str(PYTHON), "-c", BEGIN + code, str(self.folder), str(path)],
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": os.pathsep.join(map(str, more)), "HOME": "/"},
            # As the unit has it.
            umask=0o077,
            cwd="/",
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str, path: "Path | str") -> Any:
        """What a run tells last; it ends in order."""
        process = self.start(code + "\nbench.supervisor.close()\n", path)
        try:
            said, _ = process.communicate(timeout=120)
        finally:
            process.kill()
        assert process.returncode == 0, said
        return json.loads(said.splitlines()[-1])

    def owners(self) -> set[tuple[int, int]]:
        """Whose the files of the function's state are: users and groups."""
        found = [path.stat() for path in (self.folder / "states/f").rglob("*") if path.is_file()]
        return {(each.st_uid, each.st_gid) for each in found}


@pytest.fixture
def home() -> Generator[Home]:
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, SERVICE_USER, SERVICE_USER)
        yield Home(Path(folder).resolve())


@pytest.fixture
def at() -> Generator[Served]:
    with served() as found:
        yield found


NONE = "/nonexistent/users.sock"


def is_functions(user: int) -> bool:
    return FIRST_USER <= user < FIRST_USER + USERS


def test_each_functions_worker_is_another_user_than_the_agent(home: Home, at: Served) -> None:
    one, other, zygote, said = home.run(
        """
bench.run(bench.function(COUNT, "one"), bench.function(COUNT, "other"))
users = [user(pid) for pid in (bench.worker("one"), bench.worker("other"), bench.supervisor._zygotes.pid)]
tell([*users, said["user"]])
""",
        at.path,
    )
    assert is_functions(one) and is_functions(other) and one != other
    assert zygote == SERVICE_USER
    assert said == "own user"
    # Asked once, for all that the agent starts.
    assert [code for code, _ in at.ends] == [0]


SELF = """
def handler(event, context):
    import os
    status = open("/proc/self/status").read()
    return [os.getresuid(), os.getresgid(), os.getgroups(),
            [line.split()[1].strip("0") for line in status.splitlines() if line.startswith(("CapEff", "CapPrm"))]]
"""


def test_a_worker_is_that_user_in_every_respect_and_has_no_capability(home: Home, at: Served) -> None:
    told, pid_status = home.run(
        f"""
bench.run(bench.function({SELF!r}))
pid = bench.worker("f")
tell([bench.supervisor.call("f", None), Path(f"/proc/{{pid}}/status").read_text()])
""",
        at.path,
    )
    users, groups, more, capabilities = told
    assert len(set(users)) == 1 and is_functions(users[0])
    assert groups == users and more == [] and capabilities == ["", ""]
    assert f"Gid:\t{users[0]}\t" in pid_status
    # The same, seen from outside.
    assert f"Uid:\t{users[0]}\t{users[0]}\t{users[0]}\t{users[0]}\n" in pid_status


WRITES = """
from pathlib import Path
import os
def handler(event, context):
    Path(event.data).write_text("written")
    return os.getgroups()
"""


def test_it_has_the_devices_of_its_leases_by_their_group(home: Home, at: Served) -> None:
    groups, written = home.run(
        f"""
os.chown(bench.hardware.folder, -1, {DEVICES})
bench.hardware.folder.chmod(0o770)
bench.run(bench.function({WRITES!r}))
file = bench.hardware.folder / "line"
tell([bench.supervisor.call("f", str(file)), file.stat().st_uid])
""",
        at.path,
    )
    assert groups == [DEVICES] and is_functions(written)


def test_a_device_of_a_group_that_the_service_has_not_keeps_no_function_from_its_start(home: Home, at: Served) -> None:
    (home.folder / "hardware").mkdir()
    os.chown(home.folder / "hardware", SERVICE_USER, 5)
    assert home.run("bench.hardware.folder.chmod(0o770)\ntell(count(1))", at.path) == 1


def test_without_the_helper_all_is_as_before_and_the_report_says_so(home: Home) -> None:
    said = home.run("tell([count(1), said['user'], Path(f'/proc/{bench.worker(\"f\")}/status').read_text()])", NONE)
    assert said[:2] == [1, "none"]
    assert f"Uid:\t{SERVICE_USER}\t" in said[2]


def test_a_demand_for_a_user_is_met_with_the_helper_and_refused_without(home: Home, at: Served) -> None:
    code = """
try:
    demand(["user"], said)
    tell("met")
except Exception as error:
    tell([str(error), error.exit_code])
"""
    assert home.run(code, at.path) == "met"
    refused, exit_code = home.run(code, NONE)
    assert exit_code == 5 and "requires confinement of user" in refused


def test_its_state_lasts_through_restarts_updates_and_rollbacks(home: Home, at: Served) -> None:
    assert home.run("tell(count(1))", at.path) == 1
    assert home.run("tell([count(1), count(2), count(1)])", at.path) == [2, 3, 4]
    assert {is_functions(user) for user, _ in home.owners()} == {True}
    # To another schema, back, and there again, in one run and after a restart.
    assert home.run("tell([count(1), second(3), second(3)])", at.path) == [5, 106, 107]
    assert home.run("tell([second(3), count(1), second(4)])", at.path) == [108, 6, 107]


def test_removed_its_state_is_gone(home: Home, at: Served) -> None:
    home.run("tell(count(1))", at.path)
    assert home.run("count(1)\nremove()\ntell(sorted(os.listdir(bench.folder / 'states')))", at.path) == []
    assert home.run("tell(count(1))", at.path) == 1


def test_a_board_gets_the_helper_and_loses_it_and_its_states_go_on(home: Home, at: Served) -> None:
    assert home.run("tell(count(1))", NONE) == 1
    assert home.owners() == {(SERVICE_USER, SERVICE_USER)}
    assert home.run("tell(count(1))", at.path) == 2
    assert home.run("tell([count(2), second(3), count(2)])", NONE) == [3, 104, 4]
    assert home.run("tell([count(2), second(3)])", at.path) == [5, 106]
    assert home.run("count(2)\nremove()\ntell(sorted(os.listdir(bench.folder / 'states')))", NONE) == []


# It closes its files to the agent, again and again: the worker of the next release opens them at its start.
CLOSES = """
import itertools, threading
from pathlib import Path
def close(folder):
    for _ in itertools.count():
        for path in Path(folder).rglob("state.db"):
            path.chmod(0)
def handler(event, context):
    context.state["n"] = 1
    threading.Thread(target=close, args=[event.data], daemon=True).start()
"""


def test_a_function_that_closes_its_files_hinders_neither_its_neighbours_nor_its_removal(
    home: Home, at: Served
) -> None:
    neighbour, left = home.run(
        f"""
bench.run(bench.function({CLOSES!r}, toml="processes = 20\\n"))
bench.supervisor.call("f", str(bench.folder / "states/f"))
bench.supervisor.switch(bench.generation(bench.function(MIGRATE, version=2, toml=SECOND), bench.function(COUNT, "g")))
counted = bench.supervisor.call("g", None)
remove()
tell([counted, sorted(os.listdir(bench.folder / "states"))])
""",
        at.path,
    )
    assert (neighbour, left) == (1, [])


HANGS = """
def handler(event, context):
    import subprocess, time
    print("child", subprocess.Popen(["sleep", "3600"]).pid)
    time.sleep(3600)
"""
HANGING = f"""
bench.run(bench.function({HANGS!r}, toml=f'timeout = "{{TIMEOUT}}"'))
worker = bench.worker("f")
bench.offer("f")
child = until(lambda: [int(t.split()[1]) for t in bench.records.texts("f") if t.startswith("child")])[0]
"""


def test_the_agent_ends_a_hanging_worker_and_what_it_started(home: Home, at: Served) -> None:
    code = "\ntell([until(lambda: not alive(worker)), until(lambda: not alive(child))])"
    assert home.run("TIMEOUT = '2s'" + HANGING + code, at.path) == [True, True]


def test_with_a_killed_agent_nobody_is_left(home: Home, at: Served) -> None:
    tells = "\ntell([bench.supervisor._zygotes.pid, worker, child])\ntime.sleep(3600)"
    agent = home.start("TIMEOUT = '1h'" + HANGING + tells, at.path)
    assert agent.stdout is not None
    pids = json.loads(agent.stdout.readline())
    agent.kill()
    agent.communicate()
    until(lambda: not any(is_alive(pid) for pid in pids), "nobody is left", 60)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
