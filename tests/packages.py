"""The table of packages in ARCHITECTURE.md, made of their docstrings: `python -m tests.packages` writes it."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "ARCHITECTURE.md"
TOPS = ("device", "cloud_shim", "boards", "flashing", "models")
_BEGIN, _END = "<!-- packages: written by `python -m tests.packages` -->\n", "<!-- end of packages -->"


def packages() -> list[Path]:
    """Every package of the product, from above, relative to the root."""
    found = [each.parent.relative_to(ROOT) for top in TOPS for each in (ROOT / top).rglob("__init__.py")]
    return sorted(found, key=lambda package: (TOPS.index(package.parts[0]), package.parts))


def table() -> str:
    """One row for each package: its folder, and the first sentence of its docstring."""
    rows = [f"| `{package}/` | {_purpose(package)} |" for package in packages()]
    return "\n".join(["| package | purpose |", "| --- | --- |", *rows, ""])


def written(page: str) -> str:
    """The page with the table as it should be."""
    before, rest = page.split(_BEGIN)
    _, after = rest.split(_END)
    return f"{before}{_BEGIN}{table()}{_END}{after}"


def _purpose(package: Path) -> str:
    docstring = ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text())) or ""
    paragraph = " ".join(docstring.split("\n\n")[0].split())
    return paragraph.split(". ")[0].rstrip(".:").replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
