"""What a function needs, from each file that may say it; another tool's lock holds the choice."""

import hashlib

import pytest

from cloud_shim.cli.release import layers, needs
from cloud_shim.cli.release.layers import Board
from cloud_shim.cli.release.target import Platform
from device.artifact import archive
from device.errors import RejectedError, UsageError
from tests.wheels import wheel

PI = Platform("aarch64", (3, 11), 36)


@pytest.fixture
def function(tmp_path):
    folder = tmp_path / "function"
    folder.mkdir()
    return folder


def project(folder, dependencies, more=""):
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "f"\nversion = "1"\ndependencies = {dependencies}\n{more}'
    )


def digest(index, name):
    return hashlib.sha256((index / f"{name}-py3-none-any.whl").read_bytes()).hexdigest()


def uv_package(name, version, digest, more=""):
    source = 'source = { registry = "https://pypi.org/simple" }'
    file = f'{{ url = "https://x/{name}-{version}-py3-none-any.whl", hash = "sha256:{digest}", size = 1 }}'
    return f'[[package]]\nname = "{name}"\nversion = "{version}"\n{source}\n{more}\nwheels = [{file}]\n\n'


def pylock_package(name, version, digest, more=""):
    file = f'{{ url = "https://x/{name}-{version}-py3-none-any.whl", hashes = {{ sha256 = "{digest}" }} }}'
    return f'[[packages]]\nname = "{name}"\nversion = "{version}"\n{more}\nwheels = [{file}]\n\n'


def test_dependencies_of_a_project_are_taken(function, index, tmp_path):
    wheel(index, "leaf", "")
    project(function, ["leaf", 'colorama; sys_platform == "win32"'])
    assert archive.unpack(layers.layer(function, Board(PI)), tmp_path / "out")
    assert (tmp_path / "out/site/leaf.py").is_file()


def test_requirements_count_alone_where_there_are_several_files(function):
    (function / "requirements.txt").write_text("leaf\n")
    (function / "pylock.toml").write_text("not read")
    project(function, ["branch"])
    found = needs.of(function, PI)
    assert found and found.file == "requirements.txt" and [each.name for each in found.wanted] == ["leaf"]


def test_a_project_file_for_tools_only_needs_nothing(function):
    (function / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")
    assert needs.of(function, PI) is None and layers.layer(function, Board(PI)) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[project", "is not TOML"),
        ('[project]\ndependencies = ["evil @ file:///tmp/evil"]\n', "is to come from"),
        ('[project]\ndependencies = ["./vendor"]\n', "which is none"),
        (
            r"""[project]
dependencies = ['leaf; os_name != "x\n-e ./evil"']
""",
            "where pip would read on",
        ),
        ('[project]\ndependencies = [{ path = "x" }]\n', "which is none"),
        ('[project]\ndynamic = ["dependencies"]\n', "are dynamic"),
        ('[project]\ndependencies = "leaf"\n', "expected a list"),
        ("project = 3\n", "expected a table"),
    ],
)
def test_a_project_that_is_refused_says_why(function, text, says):
    (function / "pyproject.toml").write_text(text)
    with pytest.raises((RejectedError, UsageError), match=says):
        needs.of(function, PI)


def test_uvs_lock_holds_the_versions_and_the_files(function, index, tmp_path):
    wheel(index, "leaf", "VALUE = 1\n")
    wheel(index, "leaf", "VALUE = 2\n", version="2.0")
    project(function, ["leaf"])
    newer = uv_package("leaf", "2.0", digest(index, "leaf-2.0"), "resolution-markers = [\"python_version >= '3.13'\"]")
    older = uv_package("leaf", "1.0", digest(index, "leaf-1.0"), "resolution-markers = [\"python_version < '3.13'\"]")
    (function / "uv.lock").write_text(f"version = 1\n\n{newer}{older}")
    assert archive.unpack(layers.layer(function, Board(PI)), tmp_path / "out")
    assert (tmp_path / "out/site/leaf.py").read_text() == "VALUE = 1\n"
    (function / "uv.lock").write_text("version = 1\n\n" + uv_package("leaf", "1.0", "0" * 64))
    with pytest.raises(RejectedError, match=r"uv\.lock does not hold leaf 1\.0"):
        layers.layer(function, Board(PI))


def test_a_package_of_uvs_lock_from_elsewhere_is_not_taken_from_the_index(function, index):
    wheel(index, "inhouse", "")
    project(function, ["inhouse"])
    (function / "uv.lock").write_text(
        'version = 1\n[[package]]\nname = "inhouse"\nversion = "1.0"\nsource = { directory = "../inhouse" }\n'
    )
    with pytest.raises(RejectedError, match=r"does not hold inhouse"):
        layers.layer(function, Board(PI))


def test_the_boards_own_package_has_the_boards_version_whatever_uv_locked(function, index):
    project(function, ["numpy>=1.24"])
    (function / "uv.lock").write_text("version = 1\n\n" + uv_package("numpy", "2.5.5", "0" * 64))
    board = Board(PI, models=True, libraries={"numpy": "2.1.3"})
    assert layers.layer(function, board) is None


@pytest.mark.parametrize(
    "text", ["package = 3", "[[package]]\nname = 'x'\nsource = { registry = 'y' }", "package = [3]"]
)
def test_a_lock_of_uv_that_is_not_understood_says_so(function, text):
    project(function, ["leaf"])
    (function / "uv.lock").write_text(text)
    with pytest.raises(UsageError, match=r"uv\.lock is not understood"):
        needs.of(function, PI)


def test_a_pylock_is_the_choice_itself_by_the_boards_markers_and_tags(function, index, tmp_path):
    wheel(index, "leaf", "VALUE = 1\n")
    wheel(index, "leaf", "VALUE = 2\n", version="2.0")
    board = Board(PI, models=True, libraries={"numpy": "2.1.3"})
    (function / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "test"\n\n'
        + pylock_package("leaf", "1.0", digest(index, "leaf-1.0"))
        + pylock_package("colorama", "1.0", "0" * 64, "marker = \"sys_platform == 'win32'\"")
        + pylock_package("numpy", "2.5.5", "0" * 64)
    )
    assert archive.unpack(layers.layer(function, board), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out/site").glob("*.py")] == ["leaf.py"]
    assert (tmp_path / "out/site/leaf.py").read_text() == "VALUE = 1\n"
    assert not list(function.glob("pylock.*.toml"))


@pytest.mark.parametrize(
    ("packages", "says"),
    [
        ("", "is no lock"),
        (
            '[[packages]]\nname = "leaf"\nversion = "1.0"\n'
            'vcs = { type = "git", url = "https://x", commit-id = "1" }\n',
            "no wheel",
        ),
        (
            '[[packages]]\nname = "leaf"\nversion = "1.0"\nwheels = [{ url = "https://x/leaf-1.0-cp311-cp311-win_amd64.whl"'
            ', hashes = { sha256 = "00" } }]\n',
            "cannot be met for aarch64",
        ),
    ],
)
def test_a_pylock_without_a_wheel_for_the_board_is_refused(function, packages, says):
    head = 'lock-version = "1.0"\ncreated-by = "test"\n' if packages else "x = 1\n"
    (function / "pylock.toml").write_text(head + packages)
    with pytest.raises((RejectedError, UsageError), match=says):
        needs.of(function, PI)
