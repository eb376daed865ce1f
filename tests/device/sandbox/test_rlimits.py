"""The kernel's figures on a process."""

from device.sandbox import rlimits

STATUS = "Name:\tpython3\nVmSize:\t  20000 kB\nVmData:\t    1234 kB\nThreads:\t1\n"


def test_the_sizes_of_a_process_are_read_in_bytes():
    assert rlimits.size_of("VmData", STATUS) == 1234 * 1024
    assert rlimits.size_of("VmSize", STATUS) == 20000 * 1024
    assert rlimits.size_of("VmData", "") == 0
