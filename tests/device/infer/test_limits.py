"""The limits of the checking process, set in processes of their own because they cannot be lifted."""

import pytest


def test_memory_beyond_the_bound_is_an_error_that_can_be_caught(run_python):
    code = """
from device.infer import limits
limits.bound_memory(32 * 2**20)
kept = bytearray(8 * 2**20)
try:
    bytearray(64 * 2**20)
except MemoryError:
    print("caught")
"""
    assert run_python(code) == "caught"


@pytest.mark.parametrize("ours", [10, 1000])
def test_a_limit_that_is_already_there_is_lowered_and_never_raised(run_python, ours):
    code = f"""
import resource
from device.infer import limits
resource.setrlimit(resource.RLIMIT_CPU, (100, 100))
limits.bound({ours}, 1024)
print(resource.getrlimit(resource.RLIMIT_CPU)[0])
"""
    assert run_python(code) == str(min(ours, 100))


def test_the_peak_is_this_processs_own_and_not_that_of_the_one_that_started_it(run_python):
    code = """
import subprocess, sys
from device.infer import limits
large = b"x" * (200 * 2**20)
child = "from device.infer import limits; print(limits.peak_memory())"
inherited = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True).stdout
print(limits.peak_memory() > 200 * 2**20, int(inherited) < 100 * 2**20)
"""
    assert run_python(code) == "True True"
