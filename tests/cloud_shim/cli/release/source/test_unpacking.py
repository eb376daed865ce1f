"""A source distribution that would unpack to elsewhere or without end, through a name, a link or a size."""

import io
import tarfile
import zipfile

import pytest

from cloud_shim.cli.release.source import unpacking
from tests.sources import add

HUGE = 200 << 20


def refused(folder, says):
    path = next(folder.glob("evil-1.0.*"))
    place = folder / "a" / "b" / "place"
    place.mkdir(parents=True)
    with path.open("rb") as stream, pytest.raises(unpacking.Refused, match=says):
        unpacking.unpack(stream, path.name, place)
    found = {each.name for each in folder.rglob("*")} - {"a", "b", "place", path.name, "evil-1.0"}
    assert "outside" not in found and "zeros" not in found


def archive(tmp_path, fill):
    path = tmp_path / "evil-1.0.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as made:
        fill(made)


def link(kind, name, to):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, to
    return lambda made: made.addfile(entry)


class _Zeros(io.RawIOBase):
    def readable(self):
        return True

    def readinto(self, into):
        into[:] = bytes(len(into))
        return len(into)


def bomb(made):
    entry = tarfile.TarInfo("evil-1.0/zeros")
    entry.size = HUGE
    made.addfile(entry, io.BufferedReader(_Zeros()))


@pytest.mark.parametrize(
    ("fill", "says"),
    [
        (lambda made: add(made, "../outside", b"x"), "would lie outside"),
        (lambda made: add(made, "evil-1.0/../../outside", b"x"), "would lie outside"),
        (lambda made: add(made, "/tmp/outside", b"x"), "would lie outside"),
        (link(tarfile.SYMTYPE, "evil-1.0/link", "/etc"), "cannot be unpacked"),
        (link(tarfile.SYMTYPE, "evil-1.0/link", "../../.."), "cannot be unpacked"),
        (link(tarfile.LNKTYPE, "evil-1.0/link", "/etc/passwd"), "cannot be unpacked"),
        (link(tarfile.CHRTYPE, "evil-1.0/device", ""), "cannot be unpacked"),
        (bomb, "it is a bomb"),
        (lambda made: [add(made, f"evil-1.0/{n}", b"") for n in range(20_001)], "it is a bomb"),
        (lambda made: None, "it is not one folder"),
    ],
    ids=[
        "dots",
        "inner dots",
        "absolute",
        "link",
        "link up",
        "hard link",
        "device",
        "bomb",
        "files",
        "empty",
    ],
)
def test_a_source_that_unpacks_to_elsewhere_or_without_end_is_refused(tmp_path, fill, says):
    archive(tmp_path, fill)
    refused(tmp_path, says)


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "evil-1.0/../../outside"])
def test_a_zip_with_a_file_elsewhere_is_refused(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "evil-1.0.zip", "w") as made:
        made.writestr(name, "x")
    refused(tmp_path, "would lie outside")


@pytest.mark.parametrize("data", [b"", b"\x1f\x8b\x08junk", b"PK\3\4", b"x" * 5000])
def test_a_source_that_is_no_archive_is_refused(tmp_path, data):
    (tmp_path / "evil-1.0.tar.gz").write_bytes(data)
    refused(tmp_path, "cannot be unpacked|is not one folder")
