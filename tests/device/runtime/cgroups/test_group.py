"""What is written into a group's files."""

from pathlib import Path

import pytest

from device.runtime.cgroups.group import Group, Limits, settings
from device.runtime.cgroups.places import Place

LIMITS = Limits(cpu=0.25, memory=64 << 20, processes=16)


def written(version, controllers, limits=LIMITS):
    return dict(settings(Place(version, Path("/g"), controllers), limits))


def test_version_2_has_a_share_a_weight_memory_without_swap_and_processes():
    assert written(2, ("cpu", "memory", "pids")) == {
        "cpu.weight": "33",
        "cpu.max": "25000 100000",
        "memory.max": str(64 << 20),
        "memory.oom.group": "1",
        "memory.swap.max": "0",
        "pids.max": "16",
    }


def test_version_1_says_the_same_in_its_own_words():
    assert written(1, ("cpu", "memory", "pids")) == {
        "cpu.shares": "335",
        "cpu.cfs_period_us": "100000",
        "cpu.cfs_quota_us": "25000",
        "memory.limit_in_bytes": str(64 << 20),
        "memory.memsw.limit_in_bytes": str(64 << 20),
        "pids.max": "16",
    }


def test_version_1_has_its_memory_limit_before_the_one_with_swap_which_must_not_be_lower():
    files = [file for file, _ in settings(Place(1, Path("/g"), ("memory",)), LIMITS)]
    assert files == ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"]


@pytest.mark.parametrize(("version", "said"), [(1, "-1"), (2, "max 100000")])
def test_without_a_share_there_is_no_limit(version, said):
    free = written(version, ("cpu",), Limits(None, 1, 1))
    assert said in free.values()


def test_the_kernel_takes_no_quota_below_a_millisecond():
    assert written(2, ("cpu",), Limits(0.001, 1, 1))["cpu.max"] == "1000 100000"


def test_what_a_hierarchy_lacks_is_not_written():
    assert list(written(2, ("pids",))) == ["pids.max"]


def counting(tmp_path, version, **files):
    folder = tmp_path / "f"
    folder.mkdir()
    for name, text in files.items():
        (folder / name.replace("_of_", ".")).write_text(text)
    return Group("f", [Place(version, tmp_path, ("memory",))])


def test_kills_for_memory_are_counted_by_either_version(tmp_path):
    (tmp_path / "two").mkdir()
    events = "low 0\nhigh 0\nmax 9\noom 2\noom_kill 3\n"
    assert counting(tmp_path / "two", 2, memory_of_events=events).out_of_memory() == 3
    control = "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n"
    assert counting(tmp_path, 1, memory_of_oom_control=control).out_of_memory() == 4


def test_a_kernel_that_does_not_count_them_says_none(tmp_path):
    assert counting(tmp_path, 1, memory_of_oom_control="oom_kill_disable 0\n").out_of_memory() == 0
