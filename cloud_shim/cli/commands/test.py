"""`lamplight test FOLDER`: run a function's own tests with pytest, on a simulated board (cloud_shim/cli/testing.py).

`--confined` runs them in the sandbox of a board's worker (cloud_shim/cli/confined.py).
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from cloud_shim.cli.options import Options, command, existing_folder
from cloud_shim.cli.skipped import ALL_SKIPPED
from device import texts
from device.errors import LamplightError, NotFoundError
from device.protocol import manifest

_NO_TESTS = 5  # pytest's exit code for it: https://docs.pytest.org/en/stable/reference/exit-codes.html
NO_SANDBOX = 21  # confined.py's, which has said why.
_UNCONFINED = "the tests run without a board's sandbox: files, network, memory and processes have no limits"


@command("test")
@click.argument("path", metavar="FOLDER")
@click.option("--confined", is_flag=True, help="In the sandbox and with the limits of a board's worker; on Linux.")
@click.option(
    "--model",
    "models",
    metavar="FOLDER",
    multiple=True,
    help="With --confined: a model that the tests use, to be seen.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- PYTEST OPTIONS]")
def run(options: Options, path: str, confined: bool, models: tuple[str, ...], arguments: tuple[str, ...]) -> None:
    """Run the tests in FOLDER, a function's: `tests/test_*.py`, with the fixture `function` in reach."""
    folder = existing_folder(path)
    if importlib.util.find_spec("pytest") is None:
        raise NotFoundError("pytest is not installed", "", "`pip install pytest`")
    if confined:
        code = _confined(folder.resolve(), [existing_folder(each).resolve() for each in models], arguments)
    else:
        options.terminal.say(("note: ", "dim"), f"{_UNCONFINED}; `lamplight test --confined {path}` shows those, too")
        plugins = ["-p", "cloud_shim.cli.testing", "-p", "cloud_shim.cli.skipped"]
        code = _python("pytest", *plugins, *_arguments(path, folder, arguments))
    if code == _NO_TESTS:
        raise NotFoundError(f"{path} has no tests", "", f"Write {path}/tests/test_main.py; docs/functions.md has one")
    if code == ALL_SKIPPED:
        raise LamplightError(
            "No test ran", "each was skipped, for the reason above", "Put there what it lacks, such as the model"
        )
    if code == NO_SANDBOX:
        raise LamplightError("There is no sandbox here", "the reason is above", "run the tests without --confined")
    if code:
        raise LamplightError("Some tests failed")


def _arguments(root: str, folder: Path, more: Sequence[str]) -> list[str]:
    return ["-rs", "-p", "no:cacheprovider", "--rootdir", root, *more, str(folder)]


def _python(module: str, *arguments: str, environment: dict[str, str] | None = None) -> int:
    # -P keeps the current folder off the path: its device.py would be taken for the agent's.
    return subprocess.run([sys.executable, "-P", "-m", module, *arguments], check=False, env=environment).returncode


def _confined(folder: Path, models: list[Path], more: Sequence[str]) -> int:
    """Run them in the sandbox; gives pytest's exit code."""
    if sys.platform != "linux":
        raise LamplightError(
            "The tests were not run", f"{sys.platform} has no sandbox for functions", "run them on Linux, or on a board"
        )
    from cloud_shim.cli.confined import Order
    from device.runtime.workers.zygote import environment

    with tempfile.TemporaryDirectory() as room:
        shown = list(map(str, dict.fromkeys([*models, *_models_beside(folder)])))
        order = Order(str(folder), shown, _arguments(str(folder), folder, more), room)
        return _python("cloud_shim.cli.confined", order.text(), environment=environment(dict(os.environ)))


def _models_beside(folder: Path) -> Iterator[Path]:
    """The models named in function.toml that lie beside the function, or in a folder `models` there."""
    try:
        named = manifest.function(tomllib.loads(texts.read(folder / "function.toml"))).models
    except (OSError, ValueError):
        # The run says what is wrong with it.
        return
    for name in named:
        for place in (folder.parent / name, folder.parent / "models" / name):
            if (place / "model.toml").is_file():
                yield place
