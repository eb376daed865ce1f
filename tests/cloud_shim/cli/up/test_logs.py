"""A log of a child that says too much."""

import os
import resource
import stat
from pathlib import Path

import pytest

from cloud_shim.cli.up import logs


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "shim.log"


def test_a_log_within_the_limit_stays(log: Path) -> None:
    log.write_bytes(b"a line\n")
    logs.bound(log, 7)
    logs.bound(log.with_name("none.log"))
    assert (log.read_bytes(), list(log.parent.iterdir())) == (b"a line\n", [log])


def test_a_child_that_floods_its_log_writes_on_at_the_beginning_of_the_new_one(log: Path) -> None:
    child = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for flood in (b"first" * 100, b"second" * 100):
        os.write(child, flood)
        logs.bound(log, 100)
        assert log.with_name("shim.log.1").read_bytes() == flood
    os.write(child, b"later\n")
    os.close(child)
    assert log.read_bytes() == b"later\n"
    assert stat.S_IMODE(log.with_name("shim.log.1").stat().st_mode) == 0o600


def test_a_full_disk_gets_its_room_back(log: Path) -> None:
    log.write_bytes(bytes(4096))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, before[1]))
    try:
        logs.bound(log, 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (log.stat().st_size, list(log.parent.iterdir())) == (0, [log])
