"""The command line of `flash.py`, run in this process."""

from collections.abc import Callable

import pytest

from flashing import cli

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command line; gives exit code, standard output and standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        code = cli.run([str(each) for each in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return call
