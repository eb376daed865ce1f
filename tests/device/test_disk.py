"""The disk as it is reported."""

import shutil

from device import disk


def test_files_are_counted_and_looked_at_again_after_a_while(tmp_path):
    now = [0.0]
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a").write_bytes(b"12345")
    usage = disk.Usage(tmp_path, lambda: now[0])
    assert usage.told().used == 5
    assert 0 < usage.told().free <= shutil.disk_usage(tmp_path).total
    (tmp_path / "b").write_bytes(b"12")
    assert usage.told().used == 5
    now[0] = disk.PERIOD
    assert usage.told().used == 7
