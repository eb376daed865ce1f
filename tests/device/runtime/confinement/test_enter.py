"""Each mechanism alone, and each taken away, in processes that are thrown away: confined or refused, never half."""

import ctypes
import errno
import fcntl
import grp
import json
import os
import pwd
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import calls_outside
import pytest
from confined import BOUNDS, NOBODY, inside, owned

from device.runtime import state_files
from device.runtime.confinement import probe
from device.runtime.confinement.enter import FIRST_USER, user_of
from device.runtime.confinement.mechanisms import Mechanisms
from device.sandbox import kernel
from device.sandbox.allowed import NEWEST
from tests.support import ours_below

HAS = probe.mechanisms()
NONE = Mechanisms()
# <linux/prctl.h>
PR_SET_PDEATHSIG = 1


@pytest.fixture
def scratch(tmp_path):
    (tmp_path / "states").mkdir()
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def outside_is_hidden(secret):
    try:
        secret.read_text()
    except OSError:
        return True
    return False


@pytest.mark.parametrize(
    "has",
    [
        replace(NONE, view=HAS.view, user_namespace=HAS.user_namespace),
        replace(NONE, landlock=HAS.landlock),
        replace(NONE, view=HAS.view, user=HAS.user, user_namespace=HAS.user_namespace),
        HAS,
        replace(HAS, landlock=0),
        replace(HAS, filter=False),
        replace(HAS, view=False, user=False),
        replace(HAS, network_namespace=False),
    ],
    ids=["view", "landlock", "user", "all", "no landlock", "no filter", "no view", "no network namespace"],
)
def test_a_file_outside_is_out_of_reach_when_view_or_landlock_is_there(tmp_path, scratch, has):
    secret = tmp_path / "secret"
    secret.write_text("x")

    def look():
        Path("mine").write_text("x")
        return [outside_is_hidden(secret), Path("mine").read_text(), bool(Path(json.__file__).read_text())]

    assert inside(has, look, scratch) == [has.view or has.landlock > 0, "x", True]


def test_nothing_at_all_is_entered_where_nothing_is_there(tmp_path, scratch):
    secret = tmp_path / "secret"
    secret.write_text("x")
    assert inside(NONE, lambda: [outside_is_hidden(secret), str(Path.cwd())], scratch) == [False, str(scratch)]


def test_a_user_of_its_own_has_no_capability_no_group_and_no_way_back(scratch):
    def look():
        status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines())
        return [status["CapPrm"].strip("0"), status["CapBnd"] != "", os.getuid() >= FIRST_USER, os.getgroups()]

    expected = ["", True, True, []]
    assert not HAS.user or inside(replace(NONE, view=True, user=True), look, scratch) == expected


def test_root_without_a_user_of_its_own_has_no_capability(scratch):
    def look():
        return [
            line.split()[1].strip("0")
            for line in Path("/proc/self/status").read_text().splitlines()
            if "CapEff" in line
        ]

    assert not HAS.capabilities or inside(replace(NONE, capabilities=True), look, scratch) == [""]


def test_the_number_of_threads_is_bounded(scratch):
    def look():
        gate = threading.Event()
        try:
            while threading.active_count() < 20:
                threading.Thread(target=gate.wait, daemon=True).start()
        except RuntimeError:
            pass
        return threading.active_count()

    assert inside(HAS, look, scratch) == (BOUNDS["processes"] if HAS.processes else 20)


def test_the_scratch_folder_is_bounded_in_bytes_and_in_files(scratch):
    def look():
        try:
            for count in range(10_000):
                Path(str(count)).touch()
        except OSError as error:
            return error.errno
        return 0

    assert inside(HAS, look, scratch) == (errno.ENOSPC if HAS.view else 0)


def test_the_filter_alone_keeps_root_from_mounting_and_from_the_network(scratch):
    def look():
        libc = ctypes.CDLL(None, use_errno=True)
        told = libc.unshare(0x00020000), ctypes.get_errno()
        try:
            socket.socket()
        except PermissionError:
            return [*told, "refused"]
        return [*told, "open"]

    assert not HAS.filter or inside(replace(NONE, filter=True), look, scratch) == [-1, errno.EPERM, "refused"]


def test_what_a_function_keeps_stays_its_own_under_whatever_mechanisms(scratch):
    state_files.make(scratch.parent / "states", 1)
    kept = scratch.parent / "states" / "1" / state_files.DATABASE

    def look():
        kept.write_text(kept.read_text() + "x")
        return kept.read_text()

    said = [inside(has, look, scratch) for has in (NONE, HAS, HAS, replace(HAS, view=False, user=False), HAS)]
    assert said == ["x" * count for count in range(1, 6)]


@pytest.fixture(params=["below /tmp", "elsewhere"])
def placed(request, tmp_path):
    """A scratch folder, as a simulated board's is or a real one's."""
    with tempfile.TemporaryDirectory(dir=None if request.param == "below /tmp" else Path.home()) as folder:
        (Path(folder).resolve() / "states").mkdir()
        (Path(folder).resolve() / "scratch").mkdir()
        yield Path(folder).resolve() / "scratch"


@pytest.mark.skipif(not HAS.view, reason="no root of its own here")
@pytest.mark.parametrize("has", [HAS, replace(HAS, user=False), replace(HAS, landlock=0)], ids=str)
def test_tmp_is_the_scratch_folder_and_counts_as_such(placed, has):
    beside = placed.parent / "code"
    beside.mkdir()
    (beside / "main.py").write_text("pass")

    def look():
        tempfile.tempdir = None
        os.environ.pop("TMPDIR", None)
        with tempfile.NamedTemporaryFile() as made, tempfile.TemporaryDirectory() as folder:
            made.write(b"x")
            Path("/var/tmp", "y").write_text("y")
            (Path(folder) / "z").write_text("z")
        Path("kept").write_text("x")
        room = [os.statvfs(each).f_blocks for each in (".", "/tmp")]
        return [
            room[0] == room[1] == (1 << 20) // os.statvfs(".").f_frsize,
            [each.name for each in Path().iterdir() if "code" not in each.name],
            refused(lambda: (beside / "main.py").write_text("")),
            (beside / "main.py").read_text(),
        ]

    told = inside(has, look, placed, files=(beside,))
    mine = ["kept"] if Path("/tmp") in placed.parents else ["kept", "y"]
    assert [told[0], sorted({*told[1]} - ours_below("/tmp")), *told[2:]] == [True, mine, True, "pass"]


@pytest.mark.skipif(not HAS.view, reason="no root of its own here")
def test_the_function_s_user_has_a_name_and_people_have_none_there(scratch):
    def look():
        me = pwd.getpwuid(os.getuid())
        names = [each.pw_uid for each in pwd.getpwall() if each.pw_uid != os.getuid()]
        return [me.pw_name, me.pw_dir, grp.getgrgid(os.getgid()).gr_name, [each for each in names if each >= 1000]]

    assert inside(HAS, look, scratch, name="porch") == ["porch", str(scratch), "porch", []]


def test_two_functions_are_two_users(tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    assert user_of(folders[0]) != user_of(folders[1])
    assert user_of(folders[0]) == user_of(folders[0])


def test_what_cannot_be_entered_is_an_error_and_nothing_runs(scratch):
    assert "Error" in inside(HAS, lambda: "inside", scratch / "missing")


def test_limits_of_processes_are_not_set_for_a_user_that_others_share(scratch):
    look = lambda: resource.getrlimit(resource.RLIMIT_NPROC)[0]  # noqa: E731
    assert inside(replace(HAS, processes=False), look, scratch) != 5


def test_an_agent_that_is_not_root_is_confined_by_what_is_left_to_it():
    """Run by root as nobody: a user namespace where the kernel lets anybody make one, Landlock and the filter."""

    def look():
        return [outside_is_hidden(Path("/proc/1/environ")), refused(socket.socket), refused(os.setsid), os.getuid()]

    become = NOBODY if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory() as folder:
        scratch = owned(Path(folder), become)
        space = inside(replace(NONE, user_namespace=True), lambda: True, scratch, become) is True
        has = replace(HAS, user=False, proc=False, capabilities=False, user_namespace=space, view=space)
        said = inside(replace(has, network_namespace=space, processes=space), look, scratch, become)
    assert said == [True, HAS.filter, HAS.filter, become or os.getuid()]


def refused(call):
    try:
        call()
    except OSError:
        return True
    return False


@pytest.mark.parametrize(
    "has", [replace(NONE, landlock=HAS.landlock), replace(NONE, view=HAS.view, user=HAS.user), HAS], ids=str
)
def test_no_file_can_be_added_to_what_a_function_keeps_by_landlock_alone_or_by_its_user_alone(scratch, has):
    state_files.make(scratch.parent / "states", 1)

    def look():
        try:
            (scratch.parent / "states" / "1" / "more").write_text("x")
        except OSError:
            return "refused"
        return "made"

    assert (inside(has, look, scratch) == "refused") == (has.user or has.landlock > 0)


@pytest.mark.parametrize("become", [None, NOBODY], ids=["as the agent's user", "as another user's agent"])
def test_every_call_outside_the_list_fails_without_an_effect(scratch, become):
    machine = kernel.machine()
    numbers = calls_outside.numbers()

    def look():
        libc = ctypes.CDLL(None, use_errno=True)
        bad = [ctypes.c_long(-1)] * 6
        told = {}
        for number in numbers:
            ctypes.set_errno(0)
            told[number] = ctypes.get_errno() if libc.syscall(ctypes.c_long(number), *bad) == -1 else 0
        return [told, itself()]

    if os.geteuid() != 0:
        become = None
    with tempfile.TemporaryDirectory() as folder:
        scratch = owned(Path(folder), become)
        told, alive = inside(replace(NONE, filter=True), look, scratch, become)
    newest = machine.offset + NEWEST
    unknown = {*range(newest + 1, newest + 2000), machine.offset + calls_outside.CLONE3}
    assert alive
    assert told == {str(number): errno.ENOSYS if number in unknown else errno.EPERM for number in numbers}


def itself():
    """What a function may do with itself, the same calls."""
    kernel.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    fcntl.fcntl(0, fcntl.F_GETFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.setpriority(os.PRIO_PROCESS, 0, 19)
    os.setpriority(os.PRIO_PROCESS, os.getpid(), 19)
    os.sched_setaffinity(0, os.sched_getaffinity(0))
    os.kill(os.getpid(), 0)
    signal.pthread_kill(threading.get_ident(), 0)
    return True


def test_a_function_ends_the_processes_that_it_started_where_signals_are_kept_in(scratch):
    def look():
        child = subprocess.Popen(["sleep", "600"])
        child.kill()
        return child.wait()

    kept_in = replace(NONE, view=HAS.view, user=HAS.user, filter=True)
    assert not HAS.user or inside(kept_in, look, scratch) == -signal.SIGKILL


@pytest.mark.skipif(not HAS.user, reason="users of their own need root")
def test_a_service_that_lets_nobody_see_its_files_gives_functions_users_all_the_same():
    code = "import os; os.umask(0o077); from device.runtime.confinement import probe; print(probe.mechanisms().user)"
    said = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "True\n"


@pytest.mark.skipif(not HAS.view, reason="no root of its own here")
def test_a_small_system_without_files_in_etc_gives_a_root_of_its_own_too():
    code = """
from device.sandbox import paths
paths._SYSTEM = tuple(each for each in paths._SYSTEM if not each.startswith("/etc"))
paths._ZONE = paths.Path("/etc/nothing")
from device.runtime.confinement import probe
print(probe.mechanisms().view)
"""
    said = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "True\n"
