"""A function's files, out of a release and into a new one."""

import pytest

from cloud_shim.database import Database
from cloud_shim.releases import sources
from cloud_shim.releases.blobs import Blobs
from cloud_shim.releases.registry import Registry
from cloud_shim.trust.signing import Signing
from device.errors import BadArtifactError

BINARY = bytes(range(256))


@pytest.fixture
def registry(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'shim.db'}")
    return Registry(database, Blobs(tmp_path / "artifacts"), Signing(tmp_path / "signing"))


def test_editing_keeps_files_that_are_no_text(registry, make_function, tmp_path):
    release = registry.add(make_function(extra={"table.bin": BINARY, "old.py": b"x = 1\r\n"}))
    files = sources.read(registry, release)
    assert files["old.py"] == "x = 1\r\n"
    assert "table.bin" not in files
    del files["old.py"]
    files["lib/new.py"] = "y = 2\n"
    edited = registry.add(sources.pack(registry, release, files))
    registry.unpack(edited, tmp_path / "edited")
    assert (tmp_path / "edited" / "table.bin").read_bytes() == BINARY
    assert (tmp_path / "edited" / "lib" / "new.py").exists()
    assert not (tmp_path / "edited" / "old.py").exists()


def test_packing_what_was_read_gives_the_same_release(registry, make_function):
    release = registry.add(make_function())
    assert registry.add(sources.pack(registry, release, sources.read(registry, release))) == release


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../evil.py", "a/../../evil.py", "a//b.py", "./main.py", "a\0b"])
def test_path_out_of_the_bundle_is_refused(registry, tmp_path, name):
    with pytest.raises(BadArtifactError):
        sources.pack(registry, None, {name: "evil"})


def test_file_that_is_also_a_folder_is_refused(registry):
    with pytest.raises(BadArtifactError):
        sources.pack(registry, None, {"a": "", "a/b.py": ""})


def test_text_that_is_not_unicode_is_refused(registry):
    with pytest.raises(BadArtifactError):
        sources.pack(registry, None, {"main.py": "\ud800"})
