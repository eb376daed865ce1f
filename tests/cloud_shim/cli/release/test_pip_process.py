"""pip's configuration says where packages come from, and nothing more; pip starts no program."""

import subprocess
import sys

import pytest

from cloud_shim.cli.release import pip_alone, pip_process
from device.errors import LamplightError


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


def test_a_pip_that_judges_markers_by_this_machine_is_told_from_one_that_does_not(tmp_path):
    """A pip whose inside has changed ends with a word, and chooses nothing for the wrong machine."""
    folder = tmp_path / "pip" / "_vendor" / "packaging"
    folder.mkdir(parents=True)
    for each in (tmp_path / "pip", folder.parent, folder):
        (each / "__init__.py").write_text("")
    code = "class Marker:\n    def __init__(self, text): pass\n    def evaluate(self, environment): return False\n"
    (folder / "markers.py").write_text(code)
    (tmp_path / "pip" / "__main__.py").write_text("print('chosen')\n")
    environment = {"PYTHONPATH": str(tmp_path), pip_alone.MARKERS: '{"os_name": "posix"}'}
    done = subprocess.run([sys.executable, "-P", pip_alone.__file__], env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and pip_alone.CHANGED in done.stderr and "chosen" not in done.stdout


def test_without_pip_the_remedy_is_named(monkeypatch):
    monkeypatch.setattr(pip_process.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LamplightError, match=r"has no pip.*ensurepip"):
        pip_process.prepared()


def test_a_pip_from_which_no_source_can_be_taken_ends_with_a_word(tmp_path):
    folder = tmp_path / "pip" / "_internal" / "operations"
    folder.mkdir(parents=True)
    for each in (tmp_path / "pip", folder.parent, folder):
        (each / "__init__.py").write_text("")
    (folder.parent / "exceptions.py").write_text("class CommandError(Exception): pass\n")
    (folder / "prepare.py").write_text("")
    (tmp_path / "pip" / "__main__.py").write_text("print('built')\n")
    command = [sys.executable, "-P", pip_alone.__file__, pip_alone.TAKE, str(tmp_path), "download"]
    done = subprocess.run(command, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 1 and pip_alone.CHANGED_SOURCE in done.stderr and "built" not in done.stdout


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
