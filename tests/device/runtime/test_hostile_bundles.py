"""The bundles in hostile/, each run as a function beside a neighbour: contained, named in the log, unnoticed by others.

What holds a bundle back depends on the machine. Each test asks `confinement` and expects exactly what it promises; what
it does not promise, it does not expect.
"""

import errno
import os
import socket
from pathlib import Path

import calls_outside
import pytest
from runtime_bench import QUICK, Bench, alive, until

from device.errors import LamplightError, RejectedError
from device.runtime.confinement.report import confinement
from device.runtime.state_files import FILES
from device.sandbox import kernel
from device.sandbox.allowed import NEWEST

BUNDLES = Path(__file__).parent / "hostile"
NEIGHBOUR = "def handler(event, context): return event.data"
HELD = {aspect: how != "none" for aspect, how in confinement({}).items()}


@pytest.fixture
def attack(bench):
    """Runs a bundle beside a neighbour that is given events before, meanwhile and after, and handles all in order."""
    neighbour = bench.function(NEIGHBOUR, "neighbour")
    sent = []

    def offer():
        bench.offer("neighbour", len(sent))
        sent.append(len(sent))

    def attack(name, data=None, toml=""):
        bench.run(bench.bundle(BUNDLES / name, toml), neighbour)
        offer()
        bench.offer("hostile", data)
        offer()

    yield attack
    offer()
    decided = bench.records.wait("decision", len(sent), function="neighbour")
    assert [record["result"] for record in decided] == sent
    health = bench.health("neighbour")
    assert (health.crashes, health.timeouts, health.restarts, health.errors, health.dropped) == (0, 0, 0, 0, 0)


def answer(bench):
    """What the hostile function came to."""
    return bench.records.wait("decision", function="hostile")[0]["result"]


def failure(bench):
    return until(lambda: bench.health("hostile").last_error)


def ended(bench, what):
    """Its worker was ended for this reason; a new one runs."""
    record = bench.records.wait("worker", function="hostile", what=what)[0]
    bench.records.wait("worker", 2, function="hostile", what="started")
    return record["detail"]


def descendants(bench):
    """The process group of the hostile function's worker."""
    group = bench.worker("hostile")
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getpgid(int(entry.name)) == group:
                found.append(int(entry.name))
        except ProcessLookupError:
            pass
    return found


def test_a_fork_bomb_meets_its_limit_and_all_of_it_ends_with_the_worker(bench, attack):
    attack("fork-bomb")
    told = failure(bench)
    assert ("by itself" in told) != HELD["processes"]
    bomb = descendants(bench)
    assert len(bomb) > 1
    bench.supervisor.switch(bench.generation(bench.function(NEIGHBOUR, "neighbour")))
    until(lambda: not any(map(alive, bomb)))


def test_a_memory_hog_is_ended(bench, attack):
    attack("memory-hog")
    assert "memory limit" in ended(bench, "memory")


def test_shared_memory_is_no_way_around_the_limit(bench, attack):
    attack("shared-memory-hog")
    got = answer(bench)
    if HELD["system calls"]:
        assert all(got[way] for way in ("anonymous", "memfd", "system_v"))
    assert bool(got["shm"]) or not HELD["scratch"]


def test_a_disk_filler_meets_its_limit_and_fills_no_disk(bench, attack):
    attack("disk-filler")
    assert ("stopped after 3 MiB" in failure(bench) or "stopped after 4 MiB" in failure(bench)) == HELD["scratch"]
    outside = sum(file.stat().st_size for file in (bench.folder / "scratch").rglob("filler-*"))
    assert (outside == 0) == HELD["scratch"]


def test_thousands_of_empty_files_meet_a_limit_of_their_own(bench, attack):
    attack("inode-filler")
    assert ("by itself" in failure(bench)) != HELD["scratch"]


def test_the_folder_of_the_state_takes_no_file_and_its_files_no_more_than_their_size(bench, attack):
    attack("state-filler")
    got = answer(bench)
    folder = bench.folder / "states" / "hostile"
    assert all(got["made"].values()) or not HELD["state"]
    assert all("File too large" in why for why in got["full"].values())
    taken = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    assert taken <= len(FILES) * (4 << 20) or not HELD["state"]


def test_a_function_that_ruined_its_state_has_a_new_one(bench, attack):
    attack("state-filler")
    answer(bench)
    count = 'context.state["n"] = context.state.get("n", 0) + 1'
    counter = f'def handler(event, context):\n    {count}\n    return context.state["n"]'
    bench.run(bench.function(counter, "hostile", version=2), bench.function(NEIGHBOUR, "neighbour"))
    assert bench.supervisor.call("hostile", None) == 1
    assert bench.supervisor.call("hostile", None) == 2


def test_a_log_flood_is_cut_counted_and_ended(bench, attack):
    attack("log-flood")
    ended(bench, "timeout")
    texts = bench.records.texts("hostile")
    assert texts.count("flood") <= QUICK.burst + 60 * QUICK.lines
    assert any("dropped" in text for text in texts)


def test_a_busy_loop_that_ignores_every_signal_is_ended_at_its_deadline(bench, attack):
    attack("busy-loop")
    assert "no answer" in ended(bench, "timeout")


def test_the_agents_keys_cannot_be_read(bench, attack):
    key = bench.folder / "state" / "keys" / "agent.key"
    key.parent.mkdir(parents=True)
    key.write_text("secret")
    key.chmod(0o600)
    through = [f"/proc/{pid}/{way}{key}" for pid in (os.getpid(), 1) for way in ("root", "cwd")]
    attack("reader", [str(key), "/etc/shadow", *through])
    denied = {path: why for path, why in answer(bench).items() if why}
    expected = [str(key), "/etc/shadow", *through] if HELD["filesystem"] else []
    assert set(expected) <= set(denied)


def test_another_functions_scratch_cannot_be_read_or_written(bench, attack):
    theirs = bench.folder / "scratch" / "run" / "neighbour"
    theirs.mkdir(parents=True)
    (theirs / "note").write_text("private")
    attack("reader", [str(theirs / "note")])
    assert bool(answer(bench)[str(theirs / "note")]) or not HELD["filesystem"]


def test_nothing_can_be_written_outside_of_the_scratch_folder(bench, attack):
    folders = [
        str(bench.folder),
        str(bench.folder / "writer"),
        "/tmp",
        "/usr",
        "/etc",
        "/var/tmp",
        "/",
        "/proc",
        "/sys",
    ]
    attack("writer", folders)
    refused = {folder for folder, why in answer(bench).items() if why}
    # In a root of its own these are its scratch folder by other names; what it leaves there is nowhere else.
    own = {"/tmp", "/var/tmp"}
    assert {*folders} - own <= refused or not HELD["filesystem"]
    left = [Path(folder) / "hostile-was-here" for folder in folders]
    assert not any(file.exists() for file in left) or not HELD["filesystem"]
    for file in left:
        file.unlink(missing_ok=True)


def test_a_neighbour_cannot_be_traced_read_or_stopped(bench, attack):
    bench.run(bench.function(NEIGHBOUR, "neighbour"))
    attack("tracer", bench.worker("neighbour"))
    got = answer(bench)
    assert all(got[way] for way in ("trace", "call_into")) or not HELD["system calls"]
    assert all(got[way] for way in ("read_memory", "stop")) or not (HELD["user"] or "landlock" in HELD["filesystem"])
    assert got["read_environment"] or not HELD["user"]


def test_the_agent_cannot_be_traced_read_or_stopped(bench, attack):
    if HELD["system calls"] and HELD["user"]:
        attack("tracer", os.getpid())
        assert all(answer(bench).values())


def test_the_machines_memory_and_devices_are_out_of_reach(bench, attack):
    attack("devices")
    assert all(answer(bench).values()) or not HELD["filesystem"]


@pytest.fixture
def broker(tmp_path):
    """Listens as a broker does: on a port, for datagrams, at a path, at an abstract name. Says who came."""
    ends = [socket.socket(), socket.socket(type=socket.SOCK_DGRAM), *(socket.socket(socket.AF_UNIX) for _ in range(2))]
    ends[0].bind(("127.0.0.1", 0))
    port = ends[0].getsockname()[1]
    ends[1].bind(("127.0.0.1", port))
    path = str(tmp_path / "b")
    ends[2].bind(path)
    ends[3].bind(f"\0lamplight-{port}")
    for end in ends:
        end.setblocking(False)
        if end.type == socket.SOCK_STREAM:
            end.listen()
    yield [port, path], ends
    for end in ends:
        end.close()


def reached(ends):
    """Which of them somebody has reached."""
    found = []
    for name, end in zip(("tcp", "udp", "unix", "abstract"), ends, strict=True):
        try:
            end.accept()[0].close() if end.type == socket.SOCK_STREAM else end.recv(1)
            found.append(name)
        except BlockingIOError:
            pass
    return found


def test_the_broker_cannot_be_reached(bench, attack, broker):
    target, ends = broker
    attack("caller", target)
    got = answer(bench)
    if HELD["network"]:
        assert all(got[way] for way in ("tcp", "udp", "packet", "raw"))
        assert not {"tcp", "udp"} & set(reached(ends))
    assert got["unix"] or not HELD["scratch"]
    assert got["abstract"] or "namespace" not in confinement({})["network"]


def test_a_function_with_the_network_has_tcp_and_udp_but_no_raw_sockets(tmp_path, broker):
    target, ends = broker
    bench = Bench(tmp_path, policy=QUICK.__class__(network=True))
    bench.run(bench.bundle(BUNDLES / "caller", "network = true\n"))
    bench.offer("hostile", target)
    got = answer(bench)
    bench.supervisor.close()
    assert [way for way in ("tcp", "udp") if not got[way]] == ["tcp", "udp"] == reached(ends)[:2]
    assert all(got[way] for way in ("packet", "raw")) or not HELD["system calls"]
    assert got["unix"] or not HELD["scratch"]


def test_the_network_is_refused_at_deployment_where_the_operator_does_not_allow_it(bench):
    with pytest.raises(RejectedError, match=r"hostile may not use the network.*agent\.toml"):
        bench.supervisor.check(bench.generation(bench.bundle(BUNDLES / "caller", "network = true\n")))


def test_a_function_that_is_no_longer_allowed_the_network_runs_without_it(bench, broker):
    target, ends = broker
    function = bench.bundle(BUNDLES / "caller", "network = true\n")
    bench.supervisor.resume(bench.generation(function))
    bench.offer("hostile", target)
    got = answer(bench)
    assert (bool(got["tcp"]), "tcp" in reached(ends)) == ((True, False) if HELD["network"] else (False, True))


def test_a_closed_channel_ends_the_worker(bench, attack):
    attack("close-channel")
    ended(bench, "crashed")


def test_garbage_on_the_channel_ends_the_worker_and_is_named(bench, attack):
    attack("garbage")
    assert "must not: malformed" in ended(bench, "crashed")


def test_a_gibibyte_on_the_channel_ends_the_worker_at_the_first_packet(bench, attack):
    attack("gibibyte")
    assert "must not: malformed" in ended(bench, "crashed")


def test_zombies_are_bounded_and_end_with_the_worker(bench, attack):
    attack("zombies")
    assert (answer(bench) < 16) == HELD["processes"]
    group = descendants(bench)
    bench.supervisor.switch(bench.generation(bench.function(NEIGHBOUR, "neighbour")))
    until(lambda: not any(map(alive, group)))


def test_a_process_cannot_leave_the_workers_group_to_outlive_it(bench, attack):
    attack("daemon")
    assert ("not permitted" in answer(bench)) == HELD["system calls"]
    group = descendants(bench)
    assert (len(group) == 2) == HELD["system calls"]
    bench.supervisor.switch(bench.generation(bench.function(NEIGHBOUR, "neighbour")))
    until(lambda: not any(map(alive, group)))


def test_every_system_call_outside_the_list_is_an_error_and_not_the_end(bench, attack):
    numbers = calls_outside.numbers() if HELD["system calls"] else []
    offset = kernel.machine().offset
    newer = {offset + calls_outside.CLONE3, *range(offset + NEWEST + 1, offset + 1024)}
    attack("syscalls", [[number, errno.ENOSYS if number in newer else errno.EPERM] for number in numbers])
    assert answer(bench) == []
    assert bench.health("hostile").crashes == 0


def test_a_hostile_function_can_still_be_called_and_removed(bench, attack):
    attack("fork-bomb")
    failure(bench)
    with pytest.raises(LamplightError):
        bench.supervisor.call("hostile", None)
    bench.supervisor.switch(bench.generation(bench.function(NEIGHBOUR, "neighbour")))
    assert list(bench.supervisor.health()) == ["neighbour"]
