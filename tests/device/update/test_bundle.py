"""What a bundle is told when it is looked at, and what is not looked at."""

from pathlib import Path

import pytest

from device.errors import BadArtifactError
from device.update import bundle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "function.toml").write_text('name = "f"\nhandler = "main:handler"\n')
    (tmp_path / "main.py").write_text("def handler(event, context): ...\n")
    return tmp_path



def test_a_link_is_refused_before_anything_behind_it_is_read(folder: Path) -> None:
    (folder / "out.py").symlink_to("/etc/passwd")
    with pytest.raises(BadArtifactError, match=r"out\.py cannot be packed") as refused:
        bundle.read_function(folder)
    assert "root:" not in str(refused.value)


def test_what_is_not_packed_is_not_looked_at(folder: Path) -> None:
    (folder / ".venv").mkdir()
    (folder / ".venv" / "broken.py").write_text("def (")
    bundle.read_function(folder)
