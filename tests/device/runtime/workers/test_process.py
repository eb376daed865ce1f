"""How the end of a process is put into words."""

import pytest

from device.runtime.workers.process import describe


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "left with exit status 0"),
        (3, "left with exit status 3"),
        (-11, "killed by SIGSEGV"),
        (-200, "killed by signal 200"),
        (None, "ended with the zygote"),
    ],
)
def test_an_exit_status_in_words(status, words):
    assert describe(status) == words
