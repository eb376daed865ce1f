"""The training command, in a small form: reproducible, complete, acceptable to a board."""

import pytest

from device.infer.acceptance import accept
from device.infer.files import MODEL_FILES
from models.presence import card, train


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    train.train(folder, windows=60, epochs=4)
    return folder


def test_it_writes_just_the_files_of_a_model(trained):
    assert {path.name for path in trained.iterdir()} == set(MODEL_FILES)


def test_the_same_seed_gives_the_same_bytes(trained, tmp_path):
    train.train(tmp_path, windows=60, epochs=4)
    for name in MODEL_FILES:
        assert (tmp_path / name).read_bytes() == (trained / name).read_bytes()


def test_what_it_writes_is_accepted_by_a_board(trained):
    accept(trained, 60.0)


def test_its_figures_go_into_the_card_and_can_be_read_back(trained):
    figures = train.report(trained, windows=20)
    text = card.with_figures(f"before\n{card.BEGIN}\nold\n{card.END}\nafter\n", figures)
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    stated = card.stated(text)
    assert {"accuracy", "precision", "recall", "ROC AUC", "clouds", "waving"} <= set(stated)
    assert all(0 <= value <= 1 for pair in stated.values() for value in pair)


def test_a_card_without_marks_is_refused():
    with pytest.raises(ValueError, match="the card holds no"):
        card.with_figures("nothing here", "figures")
