"""What is said of a machine's confinement, and what an operator may demand of it."""

import pytest

from device.errors import RejectedError, UsageError
from device.runtime.confinement.mechanisms import Mechanisms
from device.runtime.confinement.report import confinement, demand, describe

FULL = Mechanisms(
    view=True, user=True, network_namespace=True, processes=True, capabilities=True, landlock=7, filter=True
)

GROUPS = {"cpu": "cgroup v2", "memory": "cgroup v2", "pids": "cgroup v2"}


def test_a_machine_with_everything_says_what_does_it():
    said = describe(FULL, True, GROUPS)
    assert "none" not in said.values()
    assert said["user"] == "own user"
    assert said["filesystem"] == "own root, landlock 7"
    assert said["network"] == "seccomp, namespace, landlock (TCP)"


def test_a_machine_with_nothing_says_so():
    said = describe(Mechanisms(), True, {})
    weak = ("user", "filesystem", "network", "system calls", "processes", "scratch")
    assert {aspect: said[aspect] for aspect in weak} == dict.fromkeys(weak, "none")


def test_control_groups_are_told_controller_by_controller():
    said = describe(FULL, True, {"pids": "cgroup v1", "cpu": "cgroup v1"})
    assert said["processes"] == "rlimit, cgroup v1"
    assert (said["cpu share"], said["function memory"], said["cpu"]) == ("cgroup v1", "none", "nice")


def test_a_memory_controller_that_is_demanded_and_switched_off_is_refused():
    with pytest.raises(RejectedError, match="function memory"):
        demand(["function memory", "cpu share"], describe(FULL, True, {"cpu": "cgroup v2", "pids": "cgroup v2"}))


def test_an_old_landlock_confines_no_network():
    assert describe(Mechanisms(landlock=3), False, {})["network"] == "none"


def test_what_is_demanded_and_missing_is_refused_by_name():
    with pytest.raises(RejectedError, match=r"filesystem, user.*docs/confinement\.md"):
        demand(["user", "filesystem", "memory"], {**describe(Mechanisms(), True, {}), "memory": "rlimit"})


def test_what_is_demanded_and_there_passes():
    demand(["filesystem", "network", "user"], describe(FULL, True, GROUPS))


def test_demanding_what_does_not_exist_is_an_error_that_lists_what_does():
    with pytest.raises(UsageError, match=r"firewall.*filesystem"):
        demand(["firewall"], confinement({}))
