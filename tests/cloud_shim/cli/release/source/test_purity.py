"""A wheel that a package's own code made is what was asked for, in pure Python, or refused."""

import io
import zipfile

import pytest

from cloud_shim.cli.release import foreign_lock
from cloud_shim.cli.release.source import purity
from cloud_shim.cli.release.source.purity import Impure
from device.errors import RejectedError
from tests.cloud_shim.cli.release.source.conftest import BOARD
from tests.sources import built, sdist

TAGS = foreign_lock.tags(BOARD.platform)


def judged(folder, **words):
    file, data = built(sdist(folder, "evil", **words))
    return purity.pure(data, file, "evil", "1.0", TAGS)


@pytest.mark.parametrize(
    ("wheel", "says"),
    [
        ({"calls_itself": "good"}, "calls itself good 1.0"),
        ({"numbers_itself": "2.0"}, "calls itself evil 2.0"),
        ({"calls_itself": "good", "file": "evil-1.0-py3-none-any.whl"}, "calls itself good"),
        ({"file": "evil.whl"}, "is no name of a wheel"),
        ({"file": "../evil-1.0-py3-none-any.whl"}, "is no name of a"),
        ({"tag": "py2-none-any"}, "is for another Python"),
        ({"tag": "cp311-cp311-linux_x86_64"}, "IMPURE"),
        ({"tag": "cp311-abi3-any"}, "IMPURE"),
        ({"pure": "false"}, "IMPURE"),
        ({"more": {"evil.so": "x"}}, "IMPURE evil.so"),
        ({"more": {"lib/evil.cpython-311-x86_64-linux-gnu.SO": "x"}}, "IMPURE"),
        ({"more": {"hidden.txt": b"\x7fELF\x02\x01"}}, "IMPURE hidden.txt"),
        ({"more": {"../../outside.py": "x"}}, "would lie outside of it"),
        ({"more": {"/etc/evil": "x"}}, "would lie outside of it"),
        ({"more": {"a\\..\\evil": "x"}}, "would lie outside of it"),
        ({"more": {"other-1.0.dist-info/METADATA": "x"}}, "not the wheel of one package"),
    ],
)
def test_a_wheel_other_than_what_was_asked_for_is_refused(tmp_path, wheel, says):
    what, _, name = says.partition("IMPURE")
    with pytest.raises(RejectedError if what else Impure, match=f"(?s){what or name.strip()}"):
        judged(tmp_path, **wheel)


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\5\6" + bytes(18), b"x" * 1000])
def test_what_is_no_wheel_is_refused(data):
    with pytest.raises(RejectedError, match=r"evil 1\.0 was built into a wheel that is not taken"):
        purity.pure(data, "evil-1.0-py3-none-any.whl", "evil", "1.0", TAGS)


def test_a_bomb_is_refused_by_the_sizes_that_it_states(tmp_path, monkeypatch):
    monkeypatch.setattr(purity, "_MOST_BYTES", 1000)
    with pytest.raises(RejectedError, match="it is larger than"):
        judged(tmp_path, more={"big": "x" * 1001})


@pytest.mark.parametrize("tag", ["py3-none-any", "py2.py3-none-any", "py311-none-any"])
def test_a_pure_wheel_is_packed_the_same_whatever_its_order_and_dates(tmp_path, tag):
    file, data = built(sdist(tmp_path, "evil", tag=tag, more={"a.txt": "a", "z/z.txt": "z"}))
    again = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as given, zipfile.ZipFile(again, "w") as other:
        for each in reversed(given.infolist()):
            entry = zipfile.ZipInfo(each.filename, (2026, 1, 2, 3, 4, 6))
            entry.external_attr = 0o100600 << 16
            other.writestr(entry, given.read(each))
    first = purity.pure(data, file, "evil", "1.0", TAGS)
    assert purity.pure(again.getvalue(), file, "evil", "1.0", TAGS) == first
    assert purity.pure(first, file, "evil", "1.0", TAGS) == first
