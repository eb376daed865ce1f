"""`lamplight test --confined`: a function meets on the desk what it will meet on the board."""

import shutil
import sys
import textwrap
from pathlib import Path

import pytest

from cloud_shim.cli import confined
from cloud_shim.cli.commands import test as command
from cloud_shim.cli.options import Options
from device.errors import LamplightError
from device.runtime.confinement import probe
from device.runtime.confinement.mechanisms import Mechanisms

PRESENCE = Path(__file__).parents[3] / "models" / "presence"
needs_sandbox = pytest.mark.skipif(bool(confined.missing(probe.mechanisms())), reason="no sandbox on this machine")


def run(folder, body, *options, toml="", test="def test_it(function): function.call()"):
    """The tests of a function with this handler: whether they pass."""
    made = folder / "my-fn"
    (made / "tests").mkdir(parents=True, exist_ok=True)
    (made / "function.toml").write_text(f'name = "my-fn"\nhandler = "main:handler"\n{toml}')
    names = "getpass, os, pathlib, pwd, socket, subprocess, tempfile, threading"
    code = f"import {names}\nHERE = pathlib.Path(__file__).parent\ndef handler(event, context):\n"
    (made / "main.py").write_text(code + textwrap.indent(textwrap.dedent(body), "    "))
    (made / "tests" / "test_main.py").write_text(textwrap.dedent(test))
    try:
        command.run.main([str(made), *options], standalone_mode=False, obj=Options())
    except LamplightError as error:
        assert error.what == "Some tests failed", error
        return False
    return True


@needs_sandbox
@pytest.mark.parametrize(
    ("body", "toml"),
    [
        ("open('/etc/hostname').read()", ""),
        ("(HERE / 'written').write_text('x')", ""),
        ("socket.socket()", ""),
        ("bytearray(300 << 20)", ""),
        ("open('big', 'wb').write(bytes(17 << 20))", ""),
        ("for n in range(3): open(str(n), 'wb').write(bytes(6 << 20))", ""),
        ("[threading.Thread(target=threading.Event().wait, daemon=True).start() for _ in range(20)]", "processes = 2"),
        ("os.environ['SECRET']", ""),
        ("subprocess.run(['true'], start_new_session=True)", ""),
    ],
    ids=["files", "own code", "network", "memory", "file size", "scratch", "processes", "environment", "system call"],
)
def test_what_a_board_refuses_is_refused_and_only_there(tmp_path, monkeypatch, body, toml):
    monkeypatch.setenv("SECRET", "x")
    # Without the sandbox it writes where it is.
    monkeypatch.chdir(tmp_path)
    assert run(tmp_path, body, toml=toml)
    assert not run(tmp_path, body, "--confined", toml=toml)


@needs_sandbox
def test_what_a_board_gives_is_there(tmp_path):
    body = """
        with tempfile.NamedTemporaryFile() as made, open("/tmp/x", "w") as other:
            assert made.write(b"x") and other.write("x")
        assert getpass.getuser() == pwd.getpwuid(os.getuid()).pw_name == "my-fn"
        assert (HERE / "data.csv").read_text() == "1" and pathlib.Path.home() == pathlib.Path.cwd()
        assert subprocess.run(["sh", "-c", "exit 3"]).returncode == 3
        context.state["seen"] = 1
    """
    (tmp_path / "my-fn").mkdir()
    (tmp_path / "my-fn" / "data.csv").write_text("1")
    test = "def test_it(function, tmp_path):\n    (tmp_path / 'x').write_text('x')\n    function.call()"
    assert run(tmp_path, body, "--confined", test=test)


@needs_sandbox
@pytest.mark.parametrize("options", [(), ("--model",)])
def test_its_models_are_seen_beside_it_or_by_name(tmp_path, options):
    where = tmp_path / ("elsewhere" if options else "models") / "presence"
    shutil.copytree(PRESENCE, where)
    test = f"import pathlib\ndef test_it(): assert pathlib.Path({str(where / 'model.toml')!r}).read_text()"
    more = (*options, str(where)) if options else ()
    assert run(tmp_path, "pass", "--confined", *more, toml='models = ["presence"]', test=test)


def test_a_system_without_the_mechanisms_says_so_and_runs_nothing(tmp_path, monkeypatch):
    assert confined.missing(Mechanisms()) == ["filesystem", "network", "system calls"]
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(LamplightError, match="darwin has no sandbox"):
        command.run.main([str(tmp_path), "--confined"], standalone_mode=False, obj=Options())


def test_without_it_one_line_says_what_it_does_not_show(tmp_path, capfd):
    assert run(tmp_path, "pass")
    assert capfd.readouterr().err.count("without a board's sandbox") == 1
