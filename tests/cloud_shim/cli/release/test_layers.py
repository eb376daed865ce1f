"""From requirements to a layer: wheels for the board's platform only, with their digests, the same each time."""

import hashlib
import io
import re
import tarfile
import tomllib
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from cloud_shim.cli.release import layers
from cloud_shim.cli.release.layers import Platform
from device.errors import OfflineError, RejectedError, UntrustedError
from device.protocol.layer import layer
from tests import samples
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
    packed = layers.build(folder, PI, models=False)
    assert packed is not None and layers.build(folder, PI, models=False) == packed
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
    first = layers.build(folder, PI, models=False, say=said.append)
    assert "  + leaf 1.0" in said
    locked = (folder / "pylock.aarch64-py311.toml").read_bytes()
    wheel(index, "leaf", "VALUE = 2\n", version="2.0")
    assert layers.build(folder, PI, models=False) == first
    assert (folder / "pylock.aarch64-py311.toml").read_bytes() == locked
    (folder / "requirements.txt").write_text("leaf>1\n")
    said.clear()
    assert layers.build(folder, PI, models=False, say=said.append) != first
    assert "  ~ leaf 1.0 -> 2.0" in said


def test_other_bytes_under_a_locked_version_are_refused(tmp_path, index):
    wheel(index, "leaf", "VALUE = 1\n")
    folder = function(tmp_path, "leaf\n")
    layers.build(folder, PI, models=False)
    locked = (folder / "pylock.aarch64-py311.toml").read_bytes()
    wheel(index, "leaf", "VALUE = 'planted'\n")
    with pytest.raises(UntrustedError, match="not the file that was chosen before"):
        layers.build(folder, PI, models=False)
    assert (folder / "pylock.aarch64-py311.toml").read_bytes() == locked


def test_a_digest_in_requirements_is_honoured(tmp_path, index):
    wheel(index, "leaf", "VALUE = 1\n")
    digest = hashlib.sha256((index / "leaf-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    assert layers.build(function(tmp_path, f"leaf==1.0 --hash=sha256:{digest}\n"), PI, models=False)
    with pytest.raises(UntrustedError):
        layers.build(function(tmp_path, f"leaf==1.0 --hash=sha256:{'0' * 64}\n"), PI, models=False)


def test_a_package_without_a_digest_is_refused_where_others_have_one(tmp_path, index):
    wheel(index, "leaf", "")
    wheel(index, "branch", "", needs="leaf>=1")
    digest = hashlib.sha256((index / "branch-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    with pytest.raises(RejectedError, match="names no digest for a package"):
        layers.build(function(tmp_path, f"branch==1.0 --hash=sha256:{digest}\n"), PI, models=False)


def test_a_folder_that_takes_no_lock_keeps_nothing_from_being_deployed(tmp_path, index):
    wheel(index, "leaf", "")
    folder, said = function(tmp_path, "leaf\n"), []
    (folder / "pylock.aarch64-py311.toml").mkdir()
    assert layers.build(folder, PI, models=False, say=said.append)
    assert any("cannot be written" in line for line in said)


def test_wheels_are_chosen_for_the_board_and_not_for_this_machine(tmp_path, index):
    wheel(index, "native", "FOR = 'aarch64'\n", tag="cp311-cp311-manylinux_2_28_aarch64")
    wheel(index, "native", "FOR = 'armv7l'\n", tag="cp311-cp311-linux_armv7l")
    folder = function(tmp_path, "native\n")
    for target in (PI, ZERO):
        files = contents(layers.build(folder, target, models=False))
        assert files["site/native.py"].decode() == f"FOR = '{target.machine}'\n"


@pytest.mark.parametrize(
    "tag", ["cp311-cp311-manylinux_2_38_aarch64", "cp312-cp312-manylinux_2_17_aarch64", "cp311-cp311-win_arm64"]
)
def test_a_package_without_a_wheel_for_the_board_is_refused_here(tmp_path, index, tag):
    wheel(index, "native", "", tag=tag)
    with pytest.raises(RejectedError, match=r"(?s)aarch64 with Python 3\.11.*nothing is built on a board") as refused:
        layers.build(function(tmp_path, "native\n"), PI, models=False)
    assert refused.value.exit_code == 5


def test_a_source_distribution_is_not_built(tmp_path, index):
    (index / "source-1.0.tar.gz").write_bytes(b"")
    with pytest.raises(RejectedError, match="only wheels"):
        layers.build(function(tmp_path, "source\n"), PI, models=False)


@pytest.mark.parametrize("name", ["lefa", "leaf-typing"])
def test_a_package_that_the_index_lacks_may_be_misspelt(tmp_path, index, name):
    wheel(index, "leaf", "")
    with pytest.raises(RejectedError, match=f"{name}.*Check the spelling"):
        layers.build(function(tmp_path, f"{name}\n"), PI, models=False)


def test_what_the_agent_brings_along_stays_out(tmp_path, index):
    provided = layers.provided(models=True)
    wheel(index, "paho_mqtt", "", version=provided["paho-mqtt"])
    wheel(index, "leaf", "", needs="paho-mqtt")
    files = contents(layers.build(function(tmp_path, "leaf\n"), PI, models=False))
    assert [name for name in files if name.endswith(".py")] == ["site/leaf.py"]
    assert layers.build(function(tmp_path, "paho-mqtt\n"), PI, models=False) is None


def test_a_function_without_requirements_needs_no_layer(tmp_path):
    assert layers.build(tmp_path, PI, models=False) is None


def test_no_network_is_no_missing_wheel(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(OfflineError, match="index cannot be reached"):
        layers.build(function(tmp_path, "leaf\n"), PI, models=False)


def test_the_agents_packages_are_those_that_pyproject_declares():
    declared = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text())["project"]
    named = {canonicalize_name(re.split(r"[^A-Za-z0-9._-]", each)[0]) for each in declared["dependencies"]}
    assert set(layers._AGENT) == named
    models = declared["optional-dependencies"]["ai"]
    assert set(layers._MODELS) == {canonicalize_name(re.split(r"[^A-Za-z0-9._-]", each)[0]) for each in models}


def test_a_board_that_has_not_reported_is_asked_for_nothing():
    for told in (None, samples.reported_value(platform=None)):
        with pytest.raises(OfflineError, match="not reported"):
            layers.platform(told)


@pytest.mark.parametrize("python", ["", "three", "3", "3.x", "3.11.2", "3.\u0661", "3." + "9" * 5000])
def test_a_board_whose_python_is_no_version_gets_no_layer(python):
    told = samples.reported_value(platform={"machine": "aarch64", "python": python, "glibc": 41})
    with pytest.raises(RejectedError, match="its Python is"):
        layers.platform(told)


@pytest.mark.parametrize("machine", ["../../x", "a/b", "x" * 33, "aarch64\n"])
def test_a_board_whose_processor_is_no_name_gets_no_layer_and_no_file(machine):
    told = samples.reported_value(platform={"machine": machine, "python": "3.13", "glibc": 41})
    with pytest.raises(RejectedError, match="its processor is"):
        layers.platform(told)


def test_what_a_board_reports_becomes_its_platform():
    told = samples.reported_value(platform={"machine": "aarch64", "python": "3.13", "glibc": 41})
    assert layers.platform(told) == Platform("aarch64", (3, 13), 41)
    tags = Platform("x86_64", (3, 11), 17).tags()
    assert tags[0] == "manylinux_2_17_x86_64" and {"manylinux2014_x86_64", "manylinux1_x86_64", "linux_x86_64"} < set(
        tags
    )
