"""Counts, in the docstrings, the words that make a sentence hard to follow: `python -m tests.prose`.

Two kinds are counted, per hundred words: the words of clauses that can hide their subject ("the artifacts that lack",
"what waits", "who asks") and negations. "That" belongs to the first: it takes the place of the others. The whole may
not rise above CEILING, and the worst files are listed.
Skipped as no prose: code between backticks, `None`, examples, quoted speech and names of parameters. The pages (README,
docs/ …) are counted in the same way; they are at the goal, and PAGES keeps them there.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("device", "cloud_shim", "boards", "flashing", "lamplight")
GOAL = 1.5
"""The highest rate of clauses. Counted in this way httpx has 1.4 (and 0.8 negations), python-tuf 1.4 (and 1.9)."""
CEILING = {"clauses": GOAL, "negations": 1.5}
PAGES = {"clauses": GOAL, "negations": 2.5}
_WORST = 12
# A rate says little about a file of few words.
_ENOUGH_WORDS = 60

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_CLAUSES = frozenset(["what", "who", "which", "that", "whom", "whose", "whatever", "whoever", "whichever"])
_NEGATIONS = frozenset(
    ["not", "no", "nor", "never", "none", "nothing", "nobody", "nowhere", "neither", "without", "cannot"]
)
_NOT_PROSE = re.compile(
    r"""
    ^[ \t]*>>>.*(?:\n[ \t]*\S.*)*   # an example, with its result
    | ``[^`]+`` | `[^`]*` | \bNone\b # code
    | "[^"]*" | “[^”]*”             # quoted speech
    | \b\w+://\S+                   # an address
    | ^[ \t]*\w+[ ]?:[ ]            # the name of a parameter, in a list of them
    | ^[ \t]*\(\w+,[^)]*\)          # the names of a callable's arguments
    """,
    re.MULTILINE | re.VERBOSE,
)


@dataclass(frozen=True)
class Count:
    """How many words a text has, and how many of each kind."""

    words: int = 0
    clauses: int = 0
    negations: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.words + other.words, self.clauses + other.clauses, self.negations + other.negations)

    def rate(self, kind: str) -> float:
        """Per hundred words."""
        return 100 * getattr(self, kind) / max(1, self.words)


def count(text: str) -> Count:
    """The words of one docstring."""
    words = [each.lower().replace("’", "'") for each in _WORD.findall(_NOT_PROSE.sub(" ", text))]
    return Count(
        len(words),
        sum(each.removesuffix("'s") in _CLAUSES for each in words),
        sum(each in _NEGATIONS or each.endswith("n't") for each in words),
    )


def docstrings(source: str) -> Iterator[str]:
    """Every string that stands alone as a statement: of modules, classes, functions and attributes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value


def of_file(path: Path) -> Count:
    """All docstrings of one file."""
    return sum((count(each) for each in docstrings(path.read_text(encoding="utf-8"))), Count())


def of_tree(root: Path = ROOT, folders: Iterable[str] = FOLDERS) -> dict[str, Count]:
    """Each file of ours, by its path from `root`."""
    files = (path for folder in folders for path in sorted((root / folder).rglob("*.py")))
    return {path.relative_to(root).as_posix(): of_file(path) for path in files}


def of_page(text: str) -> Count:
    """The words of a Markdown page: no code, no targets of links, and no generated table."""
    for block in (r"^```.*?^```$", r"<!-- (\w+): written by .*?<!-- end of \1 -->"):
        text = re.sub(block, "", text, flags=re.MULTILINE | re.DOTALL)
    return count(re.sub(r"\]\([^)]*\)", "]", text))


def of_pages(root: Path = ROOT) -> dict[str, Count]:
    """Each page, by its path from `root`."""
    pages = sorted([*root.glob("*.md"), *(root / "docs").rglob("*.md")])
    return {page.relative_to(root).as_posix(): of_page(page.read_text(encoding="utf-8")) for page in pages}


def excess(whole: Count, ceiling: Mapping[str, float], where: str = "docstring") -> list[str]:
    """A sentence for each kind that is above its ceiling."""
    return [
        f"{whole.rate(kind):.2f} {kind} per hundred words of {where}, above the ceiling of {most:.2f}"
        for kind, most in ceiling.items()
        if whole.rate(kind) > most
    ]


def worst(files: Mapping[str, Count], kind: str, most: int = _WORST) -> list[str]:
    """The files with the highest rates of `kind`, as lines."""
    candidates = [(each.rate(kind), path) for path, each in files.items() if each.words >= _ENOUGH_WORDS]
    return [f"  {rate:5.1f}  {path}" for rate, path in sorted(candidates, reverse=True)[:most] if rate]


def main() -> int:
    """Print the worst files and the whole; 1 when it is above the ceiling."""
    files = of_tree()
    whole = sum(files.values(), Count())
    for kind in CEILING:
        print(f"{kind}, per hundred words, in the files with most of them:", *worst(files, kind), sep="\n")
    for kind, most in CEILING.items():
        goal = f", goal {GOAL}" if kind == "clauses" else ""
        print(f"all {whole.words} words: {whole.rate(kind):.2f} {kind} (ceiling {most:.2f}{goal})")
    pages = of_pages()
    all_pages = sum(pages.values(), Count())
    print("pages, clauses:", *worst(pages, "clauses"), sep="\n")
    print(f"all {all_pages.words} words of pages: {all_pages.rate('clauses'):.2f} clauses (ceiling {GOAL:.2f})")
    found = [*excess(whole, CEILING), *excess(all_pages, PAGES, "the pages")]
    for each in found:
        print(
            f"error: {each}. try: name the subject, and say what a thing does before what it does not.", file=sys.stderr
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
