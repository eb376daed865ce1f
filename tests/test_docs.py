"""What the pages say is true: commands parse, manifests and examples are accepted, links lead somewhere."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from cloud_shim.cli.main import COMMANDS, lamplight
from cloud_shim.cli.options import Options
from device.artifact import bundle
from device.infer import acceptance, files
from device.protocol import manifest, model_manifest, triggers
from flashing.cli import flash
from tests.support import small_model

ROOT = Path(__file__).parents[1]
PAGES = {str(each.relative_to(ROOT)): each.read_text() for each in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(PAGES[page]) if kind == language]


def commands(page: str) -> list[str]:
    """Every `lamplight …` of a page's shell blocks and of its inline code."""
    lines = [line.strip() for text in blocks(page, "sh") for line in text.splitlines()]
    inline = re.findall(r"`([^`\n]+)`", BLOCK.sub("", PAGES[page]))
    return [each for each in [*lines, *inline] if re.match(r"lamplight\s", each)]


def anchors(text: str) -> set[str]:
    """A page's headings as links name them."""
    titles = re.findall(r"^#+ (.+)$", BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles}


def parse(line: str) -> None:
    """Raises click's UsageError when the command line `line` would."""
    _, name, *arguments = shlex.split(line, comments=True)
    if name not in COMMANDS:
        raise click.UsageError(f"there is no command {name!r}")
    # The name alone speaks of the command, and is no command line.
    if arguments:
        command = lamplight.get_command(click.Context(lamplight), name)
        assert command is not None
        command.make_context(name, arguments, obj=Options())


@pytest.mark.parametrize(("page", "line"), [(page, line) for page in PAGES for line in commands(page)])
def test_every_command_parses(page: str, line: str) -> None:
    parse(line)


def flash_commands(page: str) -> list[str]:
    """Every `python flash.py …` of a page."""
    lines = [line.strip() for text in blocks(page, "sh") for line in text.splitlines()]
    inline = re.findall(r"`([^`\n]+)`", BLOCK.sub("", PAGES[page]))
    return [each for each in [*lines, *inline] if each.startswith("python flash.py")]


@pytest.mark.parametrize(("page", "line"), [(page, line) for page in PAGES for line in flash_commands(page)])
def test_every_command_of_flash_py_parses(page: str, line: str) -> None:
    _, _, name, *arguments = shlex.split(line, comments=True)
    command = flash.get_command(click.Context(flash), name)
    assert command is not None
    command.make_context(name, arguments, obj=Options())


@pytest.mark.parametrize("line", ["lamplight undo desk-pi", "lamplight deploy x --force", "lamplight sim dim 5"])
def test_a_command_that_does_not_exist_would_be_found(line: str) -> None:
    with pytest.raises(click.UsageError):
        parse(line)


def manifests(page: str) -> list[str]:
    """Every manifest of a page; a file of networks is read in tests/flashing/networks."""
    return [text for text in blocks(page, "toml") if "[[wifi]]" not in text]


@pytest.mark.parametrize(("page", "text"), [(page, text) for page in PAGES for text in manifests(page)])
def test_every_manifest_is_accepted(page: str, text: str) -> None:
    table = tomllib.loads(text)
    manifest.function(table) if "handler" in table else model_manifest.model(table)


def test_every_key_of_the_manifests_is_told_of() -> None:
    for page, source in (("docs/functions.md", manifest.function), ("docs/models.md", model_manifest.model)):
        with pytest.raises(ValueError, match="known are") as refused:
            source({"unknown": 1})
        known = str(refused.value).split("known are ")[1].split(", ")
        assert [key for key in known if f"`{key}`" not in PAGES[page] and f"{key}" not in headed(page)] == []


@pytest.mark.parametrize("kind", triggers.KINDS)
def test_every_trigger_is_told_of(kind: str) -> None:
    assert f"\n## {kind}\n" in PAGES["docs/triggers.md"]
    assert f'| `"{kind}"` |' in PAGES["docs/functions.md"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_told_of(name: str) -> None:
    assert [page for page in PAGES if f"lamplight {name}" in PAGES[page]] != []


def headed(page: str) -> set[str]:
    """The tables that a page writes as `[pins.NAME]` or `[[triggers]]`."""
    return set(re.findall(r"`\[+(\w+)", PAGES[page]))


def test_the_example_function_is_one_that_may_be_deployed(tmp_path: Path) -> None:
    (tmp_path / "function.toml").write_text(blocks("docs/functions.md", "toml")[0])
    (tmp_path / "main.py").write_text(blocks("docs/functions.md", "python")[0])
    assert bundle.read_function(tmp_path).name == "porch-light"


def test_the_handlers_of_the_pages_are_python() -> None:
    for page in PAGES:
        for text in blocks(page, "python"):
            compile(text, page, "exec")


def test_a_model_packed_as_told_is_accepted(tmp_path: Path) -> None:
    folder = tmp_path / "my-model"
    folder.mkdir()
    for name, data in small_model("mine").items():
        if name != files.GOLDEN:
            (folder / name).write_bytes(data)
    script = blocks("docs/models.md", "python")[-1]
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    acceptance.accept(folder)


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", PAGES[page])):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text()), target


def test_nobody_is_told_to_install_the_package_of_a_stranger() -> None:
    """The project is on no index; who has its name there is somebody else."""
    told = re.compile(r"pip install [^`\n]*lamplight")
    sources = [each for folder in ("device", "cloud_shim", "flashing") for each in (ROOT / folder).rglob("*.py")]
    found = [each for each in [*sources, *(ROOT / page for page in PAGES)] if told.search(each.read_text())]
    assert found == []
