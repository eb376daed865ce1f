"""Why a function gets which packages: versions, sizes, who needs them, what is left out and what is newer."""

from cloud_shim.cli.release import explained
from cloud_shim.cli.release.explained import Row
from cloud_shim.cli.release.layers import Board
from cloud_shim.cli.release.target import Platform
from tests.wheels import wheel

BOARD = Board(Platform("aarch64", (3, 13), 41, "3.13.5"), models=True, libraries={"numpy": "2.1.3"})


def test_each_package_is_explained_and_nothing_is_written(tmp_path, index):
    wheel(
        index,
        "rpi_lgpio",
        "",
        needs='lgpio>=0.0.0.1\nnumpy\nbackport; python_version < "3.13"\n'
        'extra-one; extra == "full"\nunwanted; extra == "x"',
    )
    wheel(index, "lgpio", "#" * 5000, version="0.0.0.2")
    wheel(index, "extra_one", "")
    (index / "lgpio-0.2.2.0.tar.gz").write_bytes(b"")
    folder = tmp_path / "function"
    folder.mkdir()
    (folder / "requirements.txt").write_text('rpi-lgpio[full]\nlgpio\npywin32; sys_platform == "win32"\n')
    rows = {each.name: each for each in explained.rows(folder, BOARD)}
    lgpio = rows["lgpio"]
    assert (lgpio.version, lgpio.how, lgpio.needed_by) == ("0.0.0.2", "sent", ("requirements.txt", "rpi-lgpio"))
    assert lgpio.size > 5000 and lgpio.note == "0.2.2.0 is newer, but has a source distribution only"
    assert rows["extra-one"].needed_by == ("rpi-lgpio",) and "unwanted" not in rows
    assert rows["numpy"] == Row("numpy", "2.1.3", "on the board", 0, ("rpi-lgpio",))
    assert rows["backport"].note == 'only for python_version < "3.13"' and rows["backport"].how == "left out"
    assert rows["pywin32"].needed_by == ("requirements.txt",) and rows["pywin32"].how == "left out"
    assert [path.name for path in folder.iterdir()] == ["requirements.txt"]
    assert len(explained.table([*rows.values()])) == len(rows) == 6


def test_a_function_without_needs_has_no_rows(tmp_path):
    assert explained.rows(tmp_path, BOARD) == []
