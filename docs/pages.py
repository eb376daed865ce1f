"""Which files make the documentation site: a hook of mkdocs (mkdocs.yml).

The site has the repository's own layout, so that a link works in both. It takes the Markdown at the root and in docs/,
every picture in docs/, and each file of the repository that one of these pages links to. A folder in `nav` stands for
its pages.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
LOGO = Path("cloud_shim/console/static/logo.svg")
_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s#]+)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages of a folder in the place of its name."""
    config.nav = _unfolded(config.nav)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The theme's own files, and ours in place of those that mkdocs found in docs/."""
    theirs = [each for each in files if each.src_dir != config.docs_dir]
    ours = [File(str(each), str(ROOT), config.site_dir, config.use_directory_urls) for each in sources()]
    return Files([*theirs, *ours])


def sources() -> list[Path]:
    """Every file of the site, relative to the root."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    pictures = [each for each in (ROOT / "docs").rglob("*") if each.suffix in (".svg", ".png")]
    found = {ROOT / LOGO, *pictures}
    while pages:
        page = pages.pop()
        found.add(page)
        linked = {each for each in _linked(page) if each.is_file() and each not in found}
        pages += [each for each in linked if each.suffix == ".md"]
        found |= linked
    return sorted(each.relative_to(ROOT) for each in found)


def _linked(page: Path) -> Iterator[Path]:
    for target in _LINK.findall(_CODE.sub("", page.read_text())):
        if not re.match(r"[a-z]+:", target):
            yield (page.parent / unquote(target)).resolve()


def _unfolded(nav: Any) -> Any:
    if isinstance(nav, list):
        return [_unfolded(each) for each in nav]
    if isinstance(nav, dict):
        return {title: _unfolded(each) for title, each in nav.items()}
    if isinstance(nav, str) and (ROOT / nav).is_dir():
        # In the order in which the folder's first page links to them.
        linked = ["README.md", *_LINK.findall((ROOT / nav / "README.md").read_text())]
        names = sorted((page.name for page in (ROOT / nav).glob("*.md")), key=linked.index)
        return [f"{nav}/{name}" for name in names]
    return nav
