"""Whose groups they are: told from the kernel's own texts, of machines as they are found."""

import pytest

from device.runtime.cgroups.places import Place, find

V2 = "30 24 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = """32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
"""
SERVICE = "/system.slice/lamplight.service"


class Machine:
    """A hierarchy on disk: its texts, and which groups are marked."""

    def __init__(self, folder):
        self.folder = folder
        self.marks = set()

    def group(self, path, controllers=None, mark=False):
        place = self.folder / path.lstrip("/")
        place.mkdir(parents=True, exist_ok=True)
        if controllers is not None:
            (place / "cgroup.controllers").write_text(controllers)
        if mark:
            self.marks.add(place)
        return place

    def find(self, membership, mounts):
        return find(membership, mounts.replace("/sys/fs/cgroup", str(self.folder)), self.marks.__contains__)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_a_service_with_delegation_has_its_own_group(machine):
    place = machine.group(SERVICE, "cpuset cpu io memory hugetlb pids\n", mark=True)
    assert machine.find(f"0::{SERVICE}\n", V2) == [Place(2, place, ("cpu", "memory", "pids"))]


def test_an_agent_that_starts_again_finds_the_group_above_its_leaf(machine):
    place = machine.group(SERVICE, "cpu pids\n", mark=True)
    machine.group(f"{SERVICE}/agent", "cpu pids\n")
    assert machine.find(f"0::{SERVICE}/agent\n", V2) == [Place(2, place, ("cpu", "pids"))]


def test_raspberry_pi_os_without_the_memory_controller_lacks_memory_alone(machine):
    machine.group(SERVICE, "cpuset cpu io pids\n", mark=True)
    assert machine.find(f"0::{SERVICE}\n", V2)[0].controllers == ("cpu", "pids")


@pytest.mark.parametrize("group", ["/user.slice/user-1000.slice/session-2.scope", SERVICE, "/agent", "/"])
def test_a_group_that_nobody_delegated_is_left_alone_also_by_root(machine, group):
    machine.group(group, "cpu memory pids\n")
    assert machine.find(f"0::{group}\n", V2) == []


def test_the_whole_machine_is_never_the_agents_whatever_its_mark(machine):
    machine.group("/", "cpu memory pids\n", mark=True)
    assert machine.find("0::/\n", V2) == machine.find("0::/agent\n", V2) == []


def test_version_1_has_a_group_for_each_hierarchy_and_systemds_mark_counts_for_all(machine):
    for hierarchy in ("cpu,cpuacct", "memory", "pids"):
        machine.group(f"{hierarchy}{SERVICE}")
    machine.group(f"systemd{SERVICE}", mark=True)
    lines = f"5:pids:{SERVICE}\n4:memory:{SERVICE}\n3:cpu,cpuacct:{SERVICE}\n1:name=systemd:{SERVICE}\n"
    found = machine.find(lines, V1)
    assert sorted(place.controllers for place in found) == [("cpu",), ("memory",), ("pids",)]
    assert {place.version for place in found} == {1}


def test_of_version_1_another_group_of_the_same_process_is_not_meant_by_the_mark(machine):
    machine.group("memory/container/7")
    machine.group(f"pids{SERVICE}")
    machine.group(f"systemd{SERVICE}", mark=True)
    found = machine.find(f"5:pids:{SERVICE}\n4:memory:/container/7\n1:name=systemd:{SERVICE}\n", V1)
    assert [place.controllers for place in found] == [("pids",)]


def test_a_hierarchy_mounted_from_a_group_on_is_named_from_there(machine):
    place = machine.group("/lamplight", "pids\n", mark=True)
    mounts = V2.replace("0:27 / ", "0:27 /docker/7 ")
    assert machine.find("0::/docker/7/lamplight\n", mounts) == [Place(2, place, ("pids",))]
    assert machine.find("0::/elsewhere\n", mounts) == []


@pytest.mark.parametrize("membership", ["", "0::/\n", "7:net_cls:/x\n", f"0::{SERVICE} (deleted)\n"])
def test_what_is_not_mounted_gone_or_unknown_is_nothing(machine, membership):
    assert machine.find(membership, V2) == []
    assert machine.find(membership, "") == []
