"""The documentation site is built from the pages, and every link of it leads somewhere."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import lamplight

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


class Page(HTMLParser):
    """What a page links to, and the names that links to it may use."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.names: set[str] = set()
        self.feed(file.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if key == "id" and value:
                self.names.add(value)
            if (tag, key) in {("a", "href"), ("img", "src"), ("link", "href"), ("script", "src")} and value:
                self.links.append(value)


def target(page: Path, link: str) -> Path:
    """The file that a link of a page leads to."""
    path = (page.parent / unquote(urlsplit(link).path)).resolve()
    return path / "index.html" if path.is_dir() else path


def test_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    pages = {file: Page(file) for file in site.rglob("*.html") if file.name != "404.html"}
    lost = []
    for file, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or not (parts.path or parts.fragment):
                continue
            file_there = target(file, link) if parts.path else file
            named = not parts.fragment or file_there not in pages or unquote(parts.fragment) in pages[file_there].names
            if not (file_there.is_file() and named):
                lost.append((str(file.relative_to(site)), link))
    assert lost == []


def test_the_site_fetches_nothing_from_elsewhere(site: Path) -> None:
    page = (site / "index.html").read_text()
    assert "fonts.googleapis" not in page
    assert 'src="http' not in page


def test_the_reference_has_the_examples_of_the_code(site: Path) -> None:
    page = (site / "docs/reference/index.html").read_text()
    for name in ("lamplight.Event", "lamplight.Context.publish", "device.infer.session.Model"):
        assert f'id="{name}"' in page
    assert "lamplight.sensor.reading" in page


def test_the_reference_shows_importable_names_as_they_are_imported() -> None:
    shown = re.findall(r"^::: (\S+)", (ROOT / "docs/reference.md").read_text(), re.MULTILINE)
    for name in lamplight.__all__:
        defined = getattr(lamplight, name)
        assert f"lamplight.{name}" in shown
        assert f"{defined.__module__}.{name}" not in shown
