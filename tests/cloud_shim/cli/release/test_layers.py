"""From requirements to a layer: wheels for the board's platform only, with their digests, the same each time."""

import hashlib
import io
import tarfile
import tomllib
from dataclasses import replace

import pytest

from cloud_shim.cli.release import layers
from cloud_shim.cli.release.layers import Board
from cloud_shim.cli.release.target import Platform
from device.artifact import archive
from device.errors import BadArtifactError, OfflineError, RejectedError, UntrustedError
from device.protocol.layer import layer
from tests.wheels import wheel

PI = Platform("aarch64", (3, 11), 36)
ZERO = Platform("armv7l", (3, 11), 31)


def function(tmp_path, requirements):
    folder = tmp_path / "function"
    folder.mkdir(exist_ok=True)
    (folder / "requirements.txt").write_text(requirements)
    return folder


def contents(packed):
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def test_what_is_needed_is_resolved_recorded_and_packed_the_same_each_time(tmp_path, index):
    wheel(index, "leaf", "VALUE = 7\n")
    wheel(index, "branch", "import leaf\n", needs="leaf>=1")
    folder = function(tmp_path, "branch\n")
    packed = layers.layer(folder, Board(PI))
    assert packed is not None and layers.layer(folder, Board(PI)) == packed
    files = contents(packed)
    assert files["site/leaf.py"] == b"VALUE = 7\n"
    assert not [name for name in files if "RECORD" in name or "__pycache__" in name]
    manifest = layer(tomllib.loads(files["layer.toml"].decode()))
    assert manifest.packages == {"branch": "1.0", "leaf": "1.0"}
    assert (manifest.name, manifest.machine, manifest.python, manifest.glibc) == (
        "aarch64-py311",
        "aarch64",
        "3.11",
        36,
    )


def test_the_lock_is_used_while_it_fits_and_says_what_changed(tmp_path, index):
    wheel(index, "leaf", "VALUE = 1\n")
    folder, said = function(tmp_path, "leaf\n"), []
    first = layers.layer(folder, Board(PI), say=said.append)
    assert "  + leaf 1.0" in said
    locked = (folder / "pylock.aarch64-py311.toml").read_bytes()
    wheel(index, "leaf", "VALUE = 2\n", version="2.0")
    assert layers.layer(folder, Board(PI)) == first
    assert (folder / "pylock.aarch64-py311.toml").read_bytes() == locked
    (folder / "requirements.txt").write_text("leaf>1\n")
    said.clear()
    assert layers.layer(folder, Board(PI), say=said.append) != first
    assert "  ~ leaf 1.0 -> 2.0" in said


def test_other_bytes_under_a_locked_version_are_refused(tmp_path, index):
    wheel(index, "leaf", "VALUE = 1\n")
    folder = function(tmp_path, "leaf\n")
    layers.layer(folder, Board(PI))
    locked = (folder / "pylock.aarch64-py311.toml").read_bytes()
    wheel(index, "leaf", "VALUE = 'planted'\n")
    with pytest.raises(UntrustedError, match="not the file that was chosen before"):
        layers.layer(folder, Board(PI))
    assert (folder / "pylock.aarch64-py311.toml").read_bytes() == locked


def test_a_digest_in_requirements_is_honoured(tmp_path, index):
    wheel(index, "leaf", "VALUE = 1\n")
    digest = hashlib.sha256((index / "leaf-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    assert layers.layer(function(tmp_path, f"leaf==1.0 --hash=sha256:{digest}\n"), Board(PI))
    with pytest.raises(UntrustedError):
        layers.layer(function(tmp_path, f"leaf==1.0 --hash=sha256:{'0' * 64}\n"), Board(PI))


def test_a_package_without_a_digest_is_refused_where_others_have_one(tmp_path, index):
    wheel(index, "leaf", "")
    wheel(index, "branch", "", needs="leaf>=1")
    digest = hashlib.sha256((index / "branch-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    with pytest.raises(RejectedError, match="names no digest for a package"):
        layers.layer(function(tmp_path, f"branch==1.0 --hash=sha256:{digest}\n"), Board(PI))


def test_a_folder_that_takes_no_lock_keeps_nothing_from_being_deployed(tmp_path, index):
    wheel(index, "leaf", "")
    folder, said = function(tmp_path, "leaf\n"), []
    (folder / "pylock.aarch64-py311.toml").mkdir()
    assert layers.layer(folder, Board(PI), say=said.append)
    assert any("cannot be written" in line for line in said)


def test_wheels_are_chosen_for_the_board_and_not_for_this_machine(tmp_path, index):
    wheel(index, "native", "FOR = 'aarch64'\n", tag="cp311-cp311-manylinux_2_28_aarch64")
    wheel(index, "native", "FOR = 'armv7l'\n", tag="cp311-cp311-linux_armv7l")
    folder = function(tmp_path, "native\n")
    for target in (PI, ZERO):
        files = contents(layers.layer(folder, Board(target)))
        assert files["site/native.py"].decode() == f"FOR = '{target.machine}'\n"


@pytest.mark.parametrize(
    "tag", ["cp311-cp311-manylinux_2_38_aarch64", "cp312-cp312-manylinux_2_17_aarch64", "cp311-cp311-win_arm64"]
)
def test_a_package_without_a_wheel_for_the_board_is_refused_here(tmp_path, index, tag):
    wheel(index, "native", "", tag=tag)
    with pytest.raises(RejectedError, match=r"(?s)aarch64 with Python 3\.11.*nothing is built on a board") as refused:
        layers.layer(function(tmp_path, "native\n"), Board(PI))
    assert refused.value.exit_code == 5


def test_a_source_distribution_is_not_built(tmp_path, index):
    (index / "source-1.0.tar.gz").write_bytes(b"")
    with pytest.raises(RejectedError, match="only wheels"):
        layers.layer(function(tmp_path, "source\n"), Board(PI))


@pytest.mark.parametrize("name", ["lefa", "leaf-typing"])
def test_a_package_that_the_index_lacks_may_be_misspelt(tmp_path, index, name):
    wheel(index, "leaf", "")
    with pytest.raises(RejectedError, match=f"{name}.*Check the spelling"):
        layers.layer(function(tmp_path, f"{name}\n"), Board(PI))


def test_what_a_worker_has_in_memory_stays_out_and_binds(tmp_path, index):
    wheel(index, "leaf", "", needs="numpy>=2\nAdafruit-Blinka")
    board = Board(PI, models=True, libraries={"numpy": "2.1.3", "Adafruit-Blinka": "10.0.0"})
    files = contents(layers.layer(function(tmp_path, "leaf\nnumpy\n"), board))
    assert [name for name in files if name.endswith(".py")] == ["site/leaf.py"]
    assert layers.layer(function(tmp_path, "numpy<3\n"), board) is None
    with pytest.raises(RejectedError, match=r"asks for numpy==1\.26\.4, and the board brings numpy 2\.1\.3"):
        layers.layer(function(tmp_path, "numpy==1.26.4\n"), board)
    wheel(index, "branch", "", needs="numpy<2")
    with pytest.raises(RejectedError, match=r"the board brings numpy 2\.1\.3.*branch 1\.0 depends on numpy<2"):
        layers.layer(function(tmp_path, "branch\n"), board)


def test_a_board_without_models_binds_nobody_to_its_numpy(tmp_path, index):
    wheel(index, "numpy", "")
    board = Board(PI, models=False, libraries={"numpy": "2.1.3", "tuf": "6.0"})
    assert "site/numpy.py" in contents(layers.layer(function(tmp_path, "numpy==1.0\n"), board))


def test_the_agents_own_libraries_bind_nobody(tmp_path, index):
    wheel(index, "paho_mqtt", "", version="1.6.1")
    wheel(index, "azure_iot", "", needs="paho-mqtt<2")
    board = Board(PI, models=True, libraries={"paho-mqtt": "2.2.0", "numpy": "2.1.3"})
    assert "site/paho_mqtt.py" in contents(layers.layer(function(tmp_path, "azure-iot\n"), board))


def test_markers_are_the_boards_and_not_this_machines(tmp_path, index):
    for name in ("leaf", "backport", "elsewhere", "never"):
        wheel(index, name, "")
    wheel(index, "branch", "", needs='backport; python_version >= "3.13"\nnever; platform_machine == "x86_64"')
    text = 'branch\nleaf; platform_machine == "aarch64"\nelsewhere; sys_platform != "linux" or os_name == "nt"\n'
    files = contents(layers.layer(function(tmp_path, text), Board(Platform("aarch64", (3, 13), 41))))
    assert [name for name in files if name.endswith(".py")] == ["site/backport.py", "site/branch.py", "site/leaf.py"]
    files = contents(layers.layer(function(tmp_path, text), Board(PI)))
    assert [name for name in files if name.endswith(".py")] == ["site/branch.py", "site/leaf.py"]


def test_a_marker_of_the_last_number_is_judged_by_the_whole_version_and_locked_with_it(tmp_path, index):
    wheel(index, "async_timeout", "")
    folder = function(tmp_path, 'async-timeout; python_full_version < "3.11.3"\n')
    assert layers.layer(folder, Board(replace(PI, full="3.11.9"))) is None
    assert layers.layer(folder, Board(replace(PI, full="3.11.2")))
    assert layers.layer(folder, Board(PI))
    wheel(index, "leaf", "")
    plain, said = function(tmp_path, "leaf\n"), []
    layers.layer(plain, Board(replace(PI, full="3.11.2")))
    layers.layer(plain, Board(replace(PI, full="3.11.9")), say=said.append)
    assert said[-1] == "pylock.aarch64-py311.toml: as locked: leaf 1.0"


def test_a_lock_of_before_the_boards_markers_is_chosen_anew(tmp_path, index):
    wheel(index, "leaf", "")
    wheel(index, "branch", "", needs='leaf; platform_machine == "aarch64"')
    folder = function(tmp_path, "branch\n")
    whole = layers.layer(folder, Board(PI))
    file = folder / "pylock.aarch64-py311.toml"
    head, _, rest = file.read_text().partition('[[packages]]\nname = "leaf"')
    file.write_text(head + rest[rest.index("[tool.lamplight]") :].replace("form = 2\n", ""))
    assert layers.layer(folder, Board(PI)) == whole


NAMES = [
    "a" * 140 + ".py",
    "deep/" * 40 + "x.json",
    "script (dev).tmpl",
    ".hidden/.gitignore",
    "-option",
    "~home",
    "a:b?.txt",
    "back\\slash",
    "Case.py",
    "case.py",
    "u\u0308.txt",
    "tests/test_it.py",
    "compiled.pyc",
]


def test_the_names_in_a_package_are_its_own_and_programs_stay_programs(tmp_path, index):
    more = {f"pkg/{name}": f"# {name}" for name in NAMES}
    more |= {"pkg/bin/tool": "#!/bin/sh\n", "native-1.0.data/scripts/go": "#!python\nprint(1)\n"}
    more |= {"native-1.0.data/purelib/also.py": "", "bin/__init__.py": ""}
    wheel(index, "native", "", more=more)
    packed = layers.layer(function(tmp_path, "native\n"), Board(PI))
    assert archive.unpack(packed, tmp_path / "out")
    site = tmp_path / "out" / "site"
    for name in NAMES:
        assert (site / "pkg" / name).read_text() == f"# {name}" and not (site / "pkg" / name).stat().st_mode & 0o111
    assert [(site / each).stat().st_mode & 0o777 for each in ("pkg/bin/tool", "bin/go")] == [0o755, 0o755]
    assert (site / "bin/go").read_text() == "#!/usr/bin/env python3\nprint(1)\n"
    assert (site / "also.py").is_file() and (site / "bin/__init__.py").is_file()
    assert archive.digest(tmp_path / "out") == hashlib.sha256(packed).hexdigest()


def test_an_agent_of_the_first_form_gets_what_it_reads_or_a_clear_word(tmp_path, index):
    wheel(index, "native", "", more={"pkg/tool": "#!/bin/sh\n"})
    packed = layers.layer(function(tmp_path, "native\n"), Board(PI, formats=1))
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        assert {each.mode for each in tar} == {0o644}
    for name in ("x" * 101, "-f", ".hidden"):
        wheel(index, "native", "", version="2.0", more={f"pkg/{name}": ""})
        with pytest.raises(BadArtifactError, match=r"lamplight upgrade DEVICE"):
            layers.layer(function(tmp_path, "native==2.0\n"), Board(PI, formats=1))


def test_an_old_version_is_named_when_a_newer_one_has_no_wheel(tmp_path, index):
    wheel(index, "lgpio", "", version="0.0.0.2")
    (index / "lgpio-0.2.2.0.tar.gz").write_bytes(b"")
    said = []
    layers.layer(function(tmp_path, "lgpio\n"), Board(PI), say=said.append)
    assert "  + lgpio 0.0.0.2" in said
    assert "  ! lgpio 0.2.2.0 is newer, but has a source distribution only: 0.0.0.2 is taken" in said


def test_what_there_is_instead_of_a_wheel_is_said(tmp_path, index):
    wheel(index, "native", "", version="3.0", tag="cp312-cp312-win_amd64")
    (index / "native-3.0.tar.gz").write_bytes(b"")
    with pytest.raises(RejectedError, match=r"native 3\.0 has wheels for other systems only"):
        layers.layer(function(tmp_path, "native\n"), Board(PI))


def test_a_needed_package_without_any_wheel_is_no_contradiction(tmp_path, index):
    for version in ("1.0", "2.0"):
        wheel(index, "picamera2", "", version=version, needs="pidng")
    (index / "pidng-4.0.tar.gz").write_bytes(b"")
    with pytest.raises(RejectedError, match=r"picamera2 2\.0 depends on pidng.*pidng 4\.0 has a source dist") as told:
        layers.layer(function(tmp_path, "picamera2\n"), Board(PI))
    assert "contradicts" not in str(told.value)


def test_a_function_without_requirements_needs_no_layer(tmp_path):
    assert layers.layer(tmp_path, Board(PI)) is None


def test_no_network_is_no_missing_wheel(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(OfflineError, match="index cannot be reached"):
        layers.layer(function(tmp_path, "leaf\n"), Board(PI))
