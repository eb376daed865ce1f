"""`lamplight test FOLDER`: run a function's own tests with pytest, on a simulated board (cloud_shim/cli/testing.py)."""

import importlib.util
import subprocess
import sys

import click

from cloud_shim.cli.options import Options, command, existing_folder
from cloud_shim.cli.skipped import ALL_SKIPPED
from device.errors import LamplightError, NotFoundError

_NO_TESTS = 5  # pytest's exit code for it: https://docs.pytest.org/en/stable/reference/exit-codes.html


@command("test")
@click.argument("path", metavar="FOLDER")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- PYTEST OPTIONS]")
def run(options: Options, path: str, arguments: tuple[str, ...]) -> None:
    """Run the tests in FOLDER, a function's: `tests/test_*.py`, with the fixture `function` in reach."""
    folder = existing_folder(path)
    if importlib.util.find_spec("pytest") is None:
        raise NotFoundError("pytest is not installed", "", "`pip install pytest`")
    command = [
        sys.executable,
        # This keeps the current folder off the path: its device.py would be taken for the agent's.
        "-P",
        "-m",
        "pytest",
        "-p",
        "cloud_shim.cli.testing",
        "-p",
        "cloud_shim.cli.skipped",
        "-rs",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        path,
    ]
    code = subprocess.run([*command, *arguments, str(folder)], check=False).returncode
    if code == _NO_TESTS:
        raise NotFoundError(f"{path} has no tests", "", f"Write {path}/tests/test_main.py; docs/functions.md has one")
    if code == ALL_SKIPPED:
        raise LamplightError(
            "No test ran", "each was skipped, for the reason above", "Put there what it lacks, such as the model"
        )
    if code:
        raise LamplightError("Some tests failed")
