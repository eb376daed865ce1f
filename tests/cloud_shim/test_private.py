"""Nothing of the shim's is open to other users of its machine, nor what an earlier version left open."""

import os
import stat

import pytest

from cloud_shim import private


@pytest.fixture
def lax():
    """Other files of the test run as before."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder):
    return {str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode) for path in folder.rglob("*")}


def test_what_is_made_after_it_is_the_owners_alone(lax, tmp_path):
    state = tmp_path / "cloud"
    private.close_to_others(state)
    (state / "signing").mkdir()
    (state / "signing" / "a.json").write_text("x")
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert modes(state) == {"signing": 0o700, "signing/a.json": 0o600}


def test_what_an_earlier_version_left_open_is_closed_and_other_files_are_left_alone(lax, tmp_path):
    state = tmp_path / "cloud"
    for folder in ("signing", "mine"):
        (state / folder).mkdir(parents=True)
        (state / folder / "a").write_text("x")
    (state / "shim.db").write_text("x")
    (state / "signing" / "link").symlink_to(tmp_path / "elsewhere")
    private.close_to_others(state)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    closed = modes(state / "signing") | {"shim.db": stat.S_IMODE((state / "shim.db").stat().st_mode)}
    assert {name: mode for name, mode in closed.items() if name != "link"} == {"a": 0o600, "shim.db": 0o600}
    assert modes(state / "mine") == {"a": 0o644}
