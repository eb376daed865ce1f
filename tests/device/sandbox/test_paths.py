"""What a worker may see: never the folder that holds the agent's state, links as what they lead to."""

import sys
from pathlib import Path

import device
from device.runtime.confinement.view import plan
from device.sandbox import paths


def places(shown):
    return {real for _, real in shown}


def test_python_and_the_runtime_are_readable_and_etc_is_not(tmp_path):
    shown = places(paths.readable(tmp_path, network=False))
    own = Path(device.__path__[0]).resolve()
    for package in (own, own.with_name("lamplight")):
        assert any(package.is_relative_to(place) for place in shown)
    assert any(Path(sys.base_prefix).resolve().is_relative_to(place) for place in shown)
    assert not shown & {Path("/"), Path("/etc"), Path("/var"), Path("/home"), Path("/root"), Path("/run"), Path("/tmp")}


def test_a_library_folder_that_holds_the_state_is_not_shown(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    paths.lasting.cache_clear()
    assert tmp_path in places(paths.common(False))
    shown = places(paths.readable(tmp_path / "state" / "scratch", network=False))
    paths.lasting.cache_clear()
    assert tmp_path not in shown
    assert any(Path(device.__path__[0]).resolve().is_relative_to(place) for place in shown)


def test_names_are_looked_up_only_with_the_network(tmp_path):
    named = {path for path, _ in paths.readable(tmp_path, network=True)}
    assert Path("/etc/hosts") in named
    assert Path("/etc/hosts") not in {path for path, _ in paths.readable(tmp_path, network=False)}


def test_the_group_of_a_device_is_taken_and_roots_is_not(tmp_path):
    node = tmp_path / "i2c-1"
    node.touch()
    node.chmod(0o660)
    gid = node.stat().st_gid
    assert paths.groups([node, tmp_path / "missing"]) == ([gid] if gid else [])
    node.chmod(0o600)
    assert paths.groups([node]) == []


def test_a_link_is_shown_at_its_real_place_with_a_link_to_there(tmp_path):
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    planned = plan(((tmp_path / "link", real), (real / "below", real / "below"), (real, real)))
    assert planned.mounts == [str(real)]
    assert planned.links == [(str(tmp_path / "link"), str(real))]
    assert planned.folders == [str(each) for each in reversed((real, *real.parents))][1:]


def test_a_link_below_what_is_shown_needs_no_link_of_its_own(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib64").symlink_to(tmp_path / "lib")
    inner = (tmp_path / "lib64", tmp_path / "lib")
    assert plan(((tmp_path, tmp_path), inner)).links == []
