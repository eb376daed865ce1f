"""pip's configuration says where packages come from, and nothing more; pip starts no program."""

import subprocess
import sys

import pytest

from cloud_shim.cli.release import pip_alone, pip_process


def test_only_the_place_of_packages_counts_and_the_later_section_wins():
    listed = [
        "global.index-url='https://one.example/simple'",
        "install.index-url='https://two.example/simple'",
        "global.constraint='/etc/limits.txt'",
        ":env:.find-links='/opt/a /opt/b'",
        ":env:.requirement='/tmp/evil.txt'",
        ":env:.proxy=''",
        "global.no-index=oops",
        "download.cert='/x'",
    ]
    assert pip_process.configured(listed) == {
        "find-links": "/opt/a /opt/b",
        "index-url": "https://two.example/simple",
    }


def test_no_variable_and_no_file_of_pips_own_reaches_it():
    given = {"PIP_REQUIREMENT": "/evil", "pip_target": "/x", "PIP_CONFIG_FILE": "/etc/mine", "HOME": "/home/ada"}
    found = pip_process.isolated(given, {"index-url": "https://one.example"})
    assert found == {"HOME": "/home/ada", "PIP_INDEX_URL": "https://one.example", "PIP_CONFIG_FILE": "/dev/null"}


@pytest.mark.parametrize(
    "start",
    [
        "subprocess.run(['true'])",
        "os.system('true')",
        "os.execv('/bin/true', ['true'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.fork()",
        "__import__('pty').fork()",
    ],
)
def test_pip_starts_no_program(start, tmp_path):
    # A stand-in for pip that tries it.
    (tmp_path / "pip.py").write_text(f"import os, subprocess\n{start}\nprint('started')\n")
    done = subprocess.run(
        [sys.executable, "-P", pip_alone.__file__], env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert pip_alone.REFUSED in done.stderr and "started" not in done.stdout
