"""The docstrings stay under the ceiling, and the words are counted as `tests/prose.py` says."""

from pathlib import Path

import pytest

from tests.prose import CEILING, PAGES, Count, count, docstrings, excess, of_page, of_pages, of_tree, worst


def test_the_docstrings_are_no_harder_to_read_than_recorded():
    whole = sum(of_tree().values(), Count())
    assert whole.words > 10_000
    assert not excess(whole, CEILING), "`python -m tests.prose` lists the worst files"


def test_the_pages_are_at_the_goal():
    whole = sum(of_pages().values(), Count())
    assert whole.words > 20_000
    assert not excess(whole, PAGES, "the pages"), "`python -m tests.prose` lists the worst pages"


def test_code_links_and_generated_tables_of_a_page_are_no_words():
    table = "<!-- rows: written by x -->\n| who |\n<!-- end of rows -->\n"
    assert of_page(f"What [waits](which.md).\n\n```sh\nwho\n```\n\n{table}Not me.\n") == Count(4, 1, 1)


@pytest.mark.parametrize(
    ("text", "clauses", "negations"),
    [
        ("The artifacts that lack, and who asks for which.", 3, 0),
        ("It doesn't wait, never asks and cannot fail; nobody sees it.", 0, 4),
        ("It doesn’t.", 0, 1),
        ("Whose turn it is; what's next.", 2, 0),
        ("Another notice; a whole thatched house.", 0, 0),
    ],
)
def test_the_words_are_counted_in_any_form(text: str, clauses: int, negations: int):
    counted = count(text)
    assert (counted.clauses, counted.negations) == (clauses, negations)


@pytest.mark.parametrize(
    "text",
    [
        "`what`",
        "``who or which``",
        'An error: "not what was asked"',
        "None",
        "Example:\n\n    >>> which(what)\n    'not that'\n",
        "https://example.com/what/not",
        "Arguments:\n    what: the subject\n",
        "(what, who)",
    ],
)
def test_code_quotes_and_names_are_no_words(text: str):
    counted = count(text)
    assert (counted.clauses, counted.negations) == (0, 0)


def test_the_text_after_an_example_counts_again():
    assert count("    >>> what()\n    1\n\nThat is what comes.").clauses == 2


def test_every_kind_of_docstring_is_found():
    source = '"""module"""\nX = 1\n"""attribute"""\nclass C:\n    """class"""\n    def f(self):\n        """method"""\n'
    assert set(docstrings(source)) == {"module", "attribute", "class", "method"}


def test_only_files_of_ours_are_read(tmp_path: Path):
    for name in ("ours/a.py", "theirs/b.py", "ours/note.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('"""Not this."""', encoding="utf-8")
    assert of_tree(tmp_path, ["ours"]) == {"ours/a.py": Count(2, 0, 1)}


def test_a_rise_above_the_ceiling_is_named():
    assert excess(Count(100, 3, 1), {"clauses": 2.0, "negations": 1.0}) == [
        "3.00 clauses per hundred words of docstring, above the ceiling of 2.00"
    ]


def test_the_worst_files_come_first_and_short_ones_not_at_all():
    files = {"good.py": Count(100, 1, 0), "bad.py": Count(100, 9, 0), "short.py": Count(3, 3, 0), "none.py": Count(100)}
    assert [line.split()[-1] for line in worst(files, "clauses")] == ["bad.py", "good.py"]
