"""docs/from-the-cloud.md, word for word: its files are written, its commands typed, its outputs compared."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import DEVICE, Fleet

pytestmark = pytest.mark.e2e
PAGE = (Path(__file__).parents[2] / "docs" / "from-the-cloud.md").read_text()
FILE = re.compile(r"`([\w./-]+)`:\n\n```(?:python|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Commands, and the output that follows as a block of its own.
COMMANDS = re.compile(r"^```sh\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)


@pytest.fixture
def desk(fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the page's files, and `lamplight` on the path, for this fleet."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "lamplight"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m cloud_shim.cli.main "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("LAMPLIGHT_URL", fleet.url)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "300")
    for name, text in FILE.findall(PAGE):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_page_word_for_word(fleet: Fleet, desk: Path) -> None:
    assert "http://127.0.0.1:8088/" in PAGE
    typed = 0
    for text, output in COMMANDS.findall(PAGE):
        for line in text.splitlines():
            command, _, expected = line.partition("   # ")
            done = subprocess.run(
                command.replace(":8088", f":{fleet.http_port}"),
                shell=True,
                cwd=desk,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if output else subprocess.PIPE,
                text=True,
                timeout=fleet.patience,
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            if expected or output:
                assert done.stdout.strip().strip('"') == (expected or output).strip(), line
            typed += 1
    assert typed == 6
    (manifest,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert (desk / "functions" / "greetings" / "function.toml").read_text() == manifest
    for name in ("greetings", "hello-scf"):
        fleet.run("remove", f"{DEVICE}/{name}")
