"""The command line itself: help, errors, exit codes, pipes, interrupts."""

import json
import subprocess
import sys
from types import SimpleNamespace

import click
import pytest

from cloud_shim.cli import main as cli
from cloud_shim.cli.options import Options, command
from device.errors import LamplightError

NOWHERE = ("--url", "http://127.0.0.1:1")


def lamplight(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cloud_shim.cli.main", *arguments],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_lists_every_command(arguments, capsys):
    assert cli.run(arguments) == 0
    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name in cli.COMMANDS)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_each_command_of_the_table_is_there_and_has_help(name, capsys):
    assert cli.run([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"Usage: lamplight {name} ")
    assert "--json" in out


def test_listing_the_commands_imports_none_of_them():
    code = "import sys; from cloud_shim.cli import main as cli; cli.run(['--help'])"
    code += "; print([m for m in sys.modules if 'rich' in m])"
    code += "; print([m for m in sys.modules if m.startswith('cloud_shim.cli.commands.')], 'httpx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-2:] == ["[]", "[] False"]


@pytest.mark.parametrize("arguments", [["deplyo"], ["devices", "--colour"], ["rollback"], ["logs", "-n", "many"]])
def test_wrong_usage_is_one_line_and_exit_code_2(arguments, capsys):
    assert cli.run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_no_shim_is_exit_code_4(capsys):
    assert cli.run([*NOWHERE, "devices"]) == 4
    assert "try: start it with `lamplight up`" in capsys.readouterr().err


def test_an_error_with_json_is_json(capsys):
    assert cli.run([*NOWHERE, "--json", "devices"]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err)["error"]["exit_code"] == 4


def test_the_address_may_come_from_the_environment_and_the_line_wins(monkeypatch, capsys):
    monkeypatch.setenv("LAMPLIGHT_URL", "http://127.0.0.1:1")
    cli.run(["devices"])
    assert "http://127.0.0.1:1." in capsys.readouterr().err
    cli.run(["--url", "http://127.0.0.1:2", "devices"])
    assert "http://127.0.0.1:2." in capsys.readouterr().err
    cli.run(["devices", "--url", "http://127.0.0.1:3"])
    assert "http://127.0.0.1:3." in capsys.readouterr().err


def test_a_traceback_only_with_debug(capsys):
    cli.run([*NOWHERE, "devices"])
    assert "Traceback" not in capsys.readouterr().err
    cli.run([*NOWHERE, "devices", "--debug"])
    assert "Traceback" in capsys.readouterr().err


@pytest.fixture
def ending(monkeypatch):
    """Runs `lamplight devices` with a command that ends with the given exception; gives the exit code."""

    def run(error: BaseException) -> int:
        @command("devices")
        def raising(options: Options) -> None:
            raise error

        monkeypatch.setattr(cli.importlib, "import_module", lambda name: SimpleNamespace(run=raising))
        return cli.run(["devices"])

    return run


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_is_quiet(ending, error, capsys):
    assert ending(error) == 130
    assert capsys.readouterr() == ("", "")


def test_a_bug_is_told_as_one(ending, capsys):
    assert ending(ZeroDivisionError("division by zero")) == 1
    assert "ZeroDivisionError: division by zero" in capsys.readouterr().err


def test_an_error_without_why_and_remedy_is_one_sentence(ending, capsys):
    assert ending(LamplightError("It failed.")) == 1
    assert capsys.readouterr().err == "error: It failed\n"


def test_a_closed_pipe_is_quiet():
    with subprocess.Popen(
        [sys.executable, "-m", "cloud_shim.cli.main", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait() == 141


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1"])
def test_an_encoding_without_most_characters_costs_no_traceback_and_no_json(encoding):
    environment = {"PATH": "", "PYTHONIOENCODING": encoding}
    said = lamplight(*NOWHERE, "devices", "--device-→-日本", env=environment)
    assert (said.returncode, "Traceback" in said.stderr) == (2, False)
    code = "from cloud_shim.cli.terminal import Terminal; Terminal(as_json=True).data({'name': '日本 → ä'})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment)
    assert json.loads(done.stdout.decode(encoding)) == {"name": "日本 → ä"}


def test_there_is_no_colour_in_a_pipe():
    assert "\x1b" not in lamplight(*NOWHERE, "devices", env={"PATH": "", "TERM": "xterm-256color"}).stderr
