"""Artifacts on disk, by digest."""

import pytest

from cloud_shim.releases.blobs import Blobs
from device.protocol.chunks import digest


def test_gives_back_what_it_was_given_whole_or_in_part(tmp_path):
    blobs = Blobs(tmp_path / "artifacts")
    name = blobs.put(b"0123456789")
    assert name == digest(b"0123456789")
    assert blobs.get(name) == b"0123456789"
    assert blobs.get(name, 3, 4) == b"3456"
    assert blobs.get(name, 8, 100) == b"89"
    with pytest.raises(FileNotFoundError):
        blobs.get(digest(b"other"))


def test_the_same_bytes_are_kept_once(tmp_path):
    blobs = Blobs(tmp_path)
    assert blobs.put(b"same") == blobs.put(b"same")
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
