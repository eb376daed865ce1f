"""`--allow-build`: what has no wheel is built from its source, confined, recorded, and the same each time."""

import hashlib
import io
import shutil
import tarfile
import tomllib

import pytest

from cloud_shim.cli.release import explained, lock
from cloud_shim.cli.release.wheels import Source
from device.errors import RejectedError, UntrustedError
from tests.cloud_shim.cli.release.source.conftest import BOARD
from tests.sources import sdist
from tests.wheels import wheel

pytestmark = pytest.mark.usefixtures("sandbox")
LOCK = "pylock.aarch64-py311.toml"


def contents(packed):
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_source_is_built_and_recorded_with_its_digest(index, function, deploy, said):
    source = sdist(index, "leaf", "VALUE = 7\n")
    files = contents(deploy("leaf\n"))
    assert files["site/leaf.py"] == b"VALUE = 7\n"
    assert "leaf 1.0: building a wheel from leaf-1.0.tar.gz, confined" in said
    locked = lock.read(function / LOCK)
    assert locked.wheels[0].source == Source("leaf-1.0.tar.gz", digest(source))
    origin = tomllib.loads(files["pylock.toml"].decode())["packages"][0]
    assert origin["sdist"]["hashes"] == {"sha256": digest(source)} and "wheels" not in origin
    assert origin["tool"]["lamplight"]["sha256"] == tomllib.loads(files["layer.toml"].decode())["packages"][0]["sha256"]


def test_the_next_deployment_takes_the_wheel_built_before_or_builds_the_same(index, deploy, said, cached):
    sdist(index, "leaf", "VALUE = 7\n")
    first = deploy("leaf\n")
    said.clear()
    assert deploy() == first and not [line for line in said if "building" in line]
    shutil.rmtree(cached)
    assert deploy() == first
    assert "leaf 1.0: building a wheel from leaf-1.0.tar.gz, confined" in said


def test_with_the_wheel_built_before_the_index_is_not_asked(index, deploy):
    source = sdist(index, "leaf")
    first = deploy("leaf\n")
    source.unlink()
    assert deploy() == first


def test_another_source_under_a_locked_version_is_refused(index, deploy, cached):
    sdist(index, "leaf")
    deploy("leaf\n")
    shutil.rmtree(cached)
    sdist(index, "leaf", "VALUE = 'planted'\n")
    with pytest.raises(UntrustedError, match="not the file that was chosen before"):
        deploy()


def test_a_damaged_cache_costs_a_build(index, deploy, said, cached):
    sdist(index, "leaf")
    first = deploy("leaf\n")
    for each in cached.glob("*/*.whl"):
        each.write_bytes(b"PK")
    said.clear()
    assert deploy() == first and any("building" in line for line in said)


def test_newer_tools_may_make_another_wheel_of_the_same_source_and_the_lock_says_so(index, deploy, said, cached):
    sdist(index, "leaf", before="import tool\ndef extra(): return {'tool.txt': tool.VALUE}", tools='["tool"]')
    wheel(index, "tool", "VALUE = '1'\n")
    assert contents(deploy("leaf\n"))["site/tool.txt"] == b"1"
    shutil.rmtree(cached)
    wheel(index, "tool", "VALUE = '2'\n", version="2.0")
    assert contents(deploy())["site/tool.txt"] == b"2"
    assert any(line.startswith("  ! leaf 1.0 is another file") for line in said)


def test_without_the_flag_nothing_is_built_and_the_flag_is_named(index, deploy, function):
    sdist(index, "leaf")
    with pytest.raises(RejectedError, match="try --allow-build, which builds leaf from its source if"):
        deploy("leaf\n", build=False)
    deploy()
    with pytest.raises(RejectedError, match=f"{LOCK} has leaf 1.0, which was built.*--allow-build"):
        deploy(build=False)


def test_the_flag_is_not_named_where_there_are_wheels_for_other_systems(index, deploy):
    sdist(index, "native")
    wheel(index, "native", "", tag="cp311-cp311-win_amd64")
    with pytest.raises(RejectedError) as refused:
        deploy("native\n", build=False)
    assert "--allow-build" not in str(refused.value)


def test_a_wheel_is_preferred(index, deploy, said):
    wheel(index, "leaf", "VALUE = 1\n")
    sdist(index, "leaf", "VALUE = 2\n", version="2.0")
    assert contents(deploy("leaf\n"))["site/leaf.py"] == b"VALUE = 1\n"
    assert not any("building" in line for line in said)
    assert contents(deploy("leaf>1\n"))["site/leaf.py"] == b"VALUE = 2\n"


def test_the_newest_source_that_another_package_takes_is_built(index, deploy):
    wheel(index, "paho", "", version="2.0")
    for version in ("1.5", "1.6.1"):
        sdist(index, "paho", f"VERSION = {version!r}\n", version=version)
    wheel(index, "branch", "", needs="paho<2,>=1.4")
    wheel(index, "branch", "", version="2.0", needs="paho<2,>=1.6")
    assert contents(deploy("branch\n"))["site/paho.py"] == b"VERSION = '1.6.1'\n"


def test_what_a_built_package_needs_is_chosen_by_the_boards_markers_and_built_too(index, deploy):
    sdist(index, "leaf")
    sdist(index, "branch", requires="leaf; platform_machine == 'aarch64'\nnever; sys_platform == 'win32'")
    assert {"site/leaf.py", "site/branch.py"} < {*contents(deploy("branch\n"))}


def test_a_digest_in_requirements_is_of_the_source(index, deploy):
    source = sdist(index, "leaf")
    assert deploy(f"leaf==1.0 --hash=sha256:{digest(source)}\n")
    with pytest.raises(UntrustedError):
        deploy(f"leaf==1.0 --hash=sha256:{'0' * 64}\n")


@pytest.mark.parametrize("right", [True, False])
def test_the_digest_that_the_index_states_is_checked(tmp_path, monkeypatch, deploy, right):
    source = sdist(tmp_path, "leaf")
    page = tmp_path / "simple" / "leaf" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text(f'<a href="{source.as_uri()}#sha256={digest(source) if right else "0" * 64}">{source.name}</a>')
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "simple").as_uri())
    if right:
        assert deploy("leaf\n")
    else:
        with pytest.raises(UntrustedError):
            deploy("leaf\n")


@pytest.mark.parametrize("right", [True, False])
def test_a_lock_of_uv_holds_the_source(index, function, deploy, right):
    source = sdist(index, "leaf")
    (function / "pyproject.toml").write_text('[project]\nname = "f"\ndependencies = ["leaf"]\n')
    (function / "uv.lock").write_text(
        '[[package]]\nname = "leaf"\nversion = "1.0"\nsource = { registry = "https://x" }\n'
        f'sdist = {{ url = "https://x", hash = "sha256:{digest(source) if right else "0" * 64}" }}\n'
    )
    if right:
        assert deploy()
    else:
        with pytest.raises(RejectedError, match=r"uv\.lock does not hold leaf 1\.0"):
            deploy()


def test_requirements_that_exclude_each_other_build_nothing(index, deploy, said):
    for version in ("1.0", "2.0"):
        wheel(index, "leaf", "", version=version)
        sdist(index, "leaf", version=version)
    wheel(index, "branch", "", needs="leaf<2")
    with pytest.raises(RejectedError, match="contradicts itself"):
        deploy("branch\nleaf>=2\n")
    assert not any("building" in line for line in said)


def test_a_tool_of_the_build_is_a_wheel_for_this_machine(index, deploy):
    sdist(index, "leaf", "VALUE = 7\n", before="import tool", body="assert tool.VALUE == 1", tools='["tool>=1"]')
    sdist(index, "tool")
    with pytest.raises(RejectedError, match=r"a tool of its build has no wheel for this machine: .*tool>=1"):
        deploy("leaf\n")
    wheel(index, "tool", "VALUE = 1\n")
    assert deploy("leaf\n")


def test_a_tool_that_the_backend_asks_for_is_there(index, deploy):
    wheel(index, "later", "")
    ask = "def get_requires_for_build_wheel(config_settings=None): return ['later']"
    sdist(index, "leaf", before=ask, body="import later")
    assert deploy("leaf\n")


def test_explain_says_what_was_built(index, function):
    sdist(index, "leaf")
    wheel(index, "branch", "", needs="leaf")
    (function / "requirements.txt").write_text("branch\n")
    rows = {each.name: each for each in explained.rows(function, BOARD, build=True)}
    assert rows["leaf"].source == "leaf-1.0.tar.gz" and rows["branch"].source == ""
    assert explained.table([rows["leaf"]])[0][-1] == "built from leaf-1.0.tar.gz"
    assert [path.name for path in function.iterdir()] == ["requirements.txt"]
