"""What people's folders have beside their function, and what travels of it."""

import io
import tarfile

import pytest

from cloud_shim.cli.release.left_out import IGNORE
from cloud_shim.cli.release.packing import left_out, pack
from device.errors import UsageError

TOML = 'name = "f"\nhandler = "main:handler"\n'
CODE = "def handler(event, context): pass\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "function.toml").write_text(TOML)
    (tmp_path / "main.py").write_text(CODE)
    return tmp_path


def put(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("def (:")


def packed(folder):
    with tarfile.open(fileobj=io.BytesIO(pack(folder))) as tar:
        return sorted(set(tar.getnames()) - {"function.toml", "main.py"})


LEFT = ["main.py~", "#main.py#", "main.py.swp", "main.py.orig", "Icon\r", "Thumbs.db", "lib/old.py~"]
LEFT += ["node_modules/x/index.js", "f.egg-info/top_level.txt"]


@pytest.mark.parametrize("name", LEFT)
def test_leftovers_of_other_programs_stay_and_are_told(folder, name):
    put(folder, name)
    assert packed(folder) == []
    assert left_out(folder) == [name.replace("\r", "\\r")]


def test_an_environment_stays_as_a_whole_with_its_links_and_odd_names(folder):
    put(folder, "env/lib/x (dev).tmpl", "env/bin/activate")
    (folder / "env" / "pyvenv.cfg").write_text("home = /usr/bin")
    (folder / "env" / "bin" / "python").symlink_to("/usr/bin/python3")
    put(folder, "environment.txt")
    (folder / "environment.txt").write_text("")
    assert packed(folder) == ["environment.txt"]
    assert left_out(folder) == ["env/ (a virtual environment)"]


def test_a_function_says_what_else_stays_and_what_travels_after_all(folder):
    put(folder, "notes/a.md", "notes/keep.md", "data.bin", "last.log")
    (folder / IGNORE).write_bytes(b"\xef\xbb\xbf# mine\r\nnotes/*\r\n!notes/keep.md\r\n/data.bin\r\n!last.log\r\n")
    assert packed(folder) == ["last.log", "notes/keep.md"]
    assert left_out(folder) == ["data.bin", "notes/a.md"]


def test_many_are_counted(folder):
    put(folder, *(f"{n}.py~" for n in range(9)))
    assert left_out(folder)[-1] == "and 4 more"


def test_hidden_files_and_tests_stay_untold(folder):
    put(folder, ".git/config", "tests/test_main.py", "__pycache__/x.pyc")
    assert (packed(folder), left_out(folder)) == ([], [])


def test_a_line_that_is_no_pattern_is_named(folder):
    (folder / IGNORE).write_text("*.bin\n!\n")
    with pytest.raises(UsageError, match="line 2"):
        pack(folder)
