"""Requirements that ran a stranger's setup.py on the machine with the release keys. None of it runs any more."""

import io
import tarfile

import pytest

from cloud_shim.cli.release import layers
from cloud_shim.cli.release.layers import Board
from cloud_shim.cli.release.target import Platform
from device.errors import RejectedError
from tests.wheels import wheel

PI = Platform("aarch64", (3, 11), 36)


@pytest.fixture
def ran(tmp_path):
    """Exists once the code of the package `evil-1.0` has run."""
    return tmp_path / "ran"


@pytest.fixture
def evil(tmp_path, ran):
    """A source distribution, as a folder and packed, whose setup.py leaves a trace."""
    folder = tmp_path / "evil-1.0"
    folder.mkdir()
    (folder / "setup.py").write_text(
        f"open({str(ran)!r}, 'w').close()\nfrom setuptools import setup\nsetup(name='evil')\n"
    )
    with tarfile.open(tmp_path / "evil-1.0.tar.gz", "w:gz") as archive:
        archive.add(folder, "evil-1.0")
    return folder


def function(tmp_path, text):
    folder = tmp_path / "function"
    folder.mkdir()
    (folder / "requirements.txt").write_text(text)
    return folder


@pytest.mark.parametrize(
    "line",
    [
        "evil @ file://{evil}",
        "-e {evil}",
        "{evil}",
        "./evil-1.0",
        "{evil}.tar.gz",
        "evil-1.0.tar.gz",
        "file://{evil}",
        "-r {evil}/more.txt",
    ],
)
def test_no_line_runs_a_setup_py(line, tmp_path, index, evil, ran, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (evil / "more.txt").write_text(f"{evil}\n")
    with pytest.raises(RejectedError, match="line 1 is refused"):
        layers.layer(function(tmp_path, line.format(evil=evil)), Board(PI))
    assert not ran.exists()


@pytest.mark.parametrize("ending", ["", ".tar.gz"])
def test_a_package_that_needs_one_from_a_folder_runs_nothing(ending, tmp_path, index, evil, ran):
    wheel(index, "branch", "", needs=f"evil @ file://{evil}{ending}")
    with pytest.raises(RejectedError, match="is to be built on this machine"):
        layers.layer(function(tmp_path, "branch\n"), Board(PI))
    assert not ran.exists()


def test_a_package_that_needs_a_wheel_from_elsewhere_is_refused(tmp_path, index):
    wheel(tmp_path, "leaf", "")
    wheel(index, "branch", "", needs=f"leaf @ file://{tmp_path}/leaf-1.0-py3-none-any.whl")
    with pytest.raises(RejectedError, match="only wheels of the index"):
        layers.layer(function(tmp_path, "branch\n"), Board(PI))


def test_pips_settings_for_other_work_add_nothing(tmp_path, index, evil, ran, monkeypatch):
    wheel(index, "leaf", "VALUE = 1\n")
    (tmp_path / "more.txt").write_text(f"-e {evil}\n")
    (tmp_path / "limits.txt").write_text("leaf==99\n")
    monkeypatch.setenv("PIP_REQUIREMENT", str(tmp_path / "more.txt"))
    monkeypatch.setenv("PIP_CONSTRAINT", str(tmp_path / "limits.txt"))
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "elsewhere"))
    packed = layers.layer(function(tmp_path, "leaf\n"), Board(PI))
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert "site/leaf.py" in archive.getnames()
    assert not ran.exists() and not (tmp_path / "elsewhere").exists()


def test_a_module_named_pip_beside_the_person_is_not_taken_for_it(tmp_path, index, ran, monkeypatch):
    wheel(index, "leaf", "")
    folder = function(tmp_path, "leaf\n")
    (folder / "pip.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    monkeypatch.chdir(folder)
    assert layers.layer(folder, Board(PI))
    assert not ran.exists()
