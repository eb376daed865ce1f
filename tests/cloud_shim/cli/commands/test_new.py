"""Starting from a starter."""

import tomllib
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_starter_is_copied_under_its_own_name(run):
    code, out, _ = run("new", "night-light")
    assert (code, out) == (0, "night-light\n")
    assert tomllib.loads(Path("night-light/function.toml").read_text())["name"] == "night-light"
    assert sorted(each.name for each in Path("night-light").iterdir()) == ["function.toml", "main.py", "tests"]


def test_what_is_to_be_typed_next_can_be_typed(run):
    assert "`lamplight deploy 'my lamp'`" in run("new", "night-light", "my lamp")[2]


def test_a_folder_that_exists_is_not_touched(run):
    Path("mine").mkdir()
    Path("mine/main.py").write_text("precious")
    code, _, err = run("new", "night-light", "mine")
    assert code == 1
    assert "exists already" in err
    assert Path("mine/main.py").read_text() == "precious"
    assert [each.name for each in Path("mine").iterdir()] == ["main.py"]


def test_a_link_to_nowhere_is_not_followed(run, tmp_path):
    Path("mine").symlink_to(tmp_path / "elsewhere")
    assert run("new", "night-light", "mine")[0] == 1
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("name", ["nigth-light", "../night-light", "__pycache__", "."])
def test_what_is_no_starter_is_not_found_and_the_starters_are_listed(run, name):
    code, _, err = run("new", name)
    assert code == 3
    assert "blink, hello, lamp-api, night-light, presence-light" in err
    assert not list(Path().iterdir())


def test_a_model_that_comes_with_lamplight_is_copied_too(run):
    code, out, err = run("new", "presence", "models/presence")
    assert (code, out) == (0, "models/presence\n")
    assert "`lamplight deploy models/presence`" in err and "lamplight dev" not in err
    assert {"model.toml", "model.onnx", "golden.json"} <= {each.name for each in Path("models/presence").iterdir()}


def test_a_folder_of_the_documentation_that_is_not_here_is_made(run):
    code, _, err = run("deploy", "models/presence", "--device", "desk-pi")
    assert code == 3 and "`lamplight new presence models/presence`" in err
    assert "`lamplight new night-light`" in run("deploy", "elsewhere", "--device", "desk-pi")[2]
