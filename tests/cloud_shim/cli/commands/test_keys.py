"""Keys from the command line: shown, taken and renewed."""

import json

import pytest

from cloud_shim.trust.signing import Signing
from tests.cloud_shim.cli.commands.conftest import keys_of


@pytest.fixture
def signing(shim, tmp_path, monkeypatch):
    """A fake shim whose keys and signatures are real."""
    monkeypatch.setenv("LAMPLIGHT_KEYS", str(tmp_path / "release-keys"))
    made = Signing(tmp_path / "signing")
    made.release("function", "lamp", 1, "a" * 64, 1000)

    shim.answers |= {
        "GET /api/releases": {"releases": []},
        "GET /api/devices": {"devices": []},
        **keys_of(made),
        "POST /api/keys/next": lambda body: made.next_key(body["name"]),
        "POST /api/keys/clock": lambda body: made.clock.confirm() or {"now": made.clock.now().timestamp()},
    }
    return made


def places(run):
    return {key["name"]: key["where"] for key in json.loads(run("keys", "show", "--json")[1])["keys"]}


def test_every_key_is_shown_with_where_it_lies(signing, run):
    assert set(places(run).values()) == {"shim"}
    assert run("keys", "take", "--all")[0] == 0
    assert places(run) == {
        "image-root": "this machine",
        "image-targets": "this machine",
        "image-releases": "this machine",
        "image-online": "shim",
        "director-root": "this machine",
        "director-online": "shim",
    }


def test_taking_twice_changes_nothing(signing, run):
    run("keys", "take", "--all")
    before = signing.image()
    assert run("keys", "take", "--all")[0] == 0
    assert signing.image() == before


def test_keys_that_another_machine_took_are_refused_and_shown_as_such(signing, run, monkeypatch, tmp_path):
    run("keys", "take", "--all")
    monkeypatch.setenv("LAMPLIGHT_KEYS", str(tmp_path / "elsewhere"))
    code, _, err = run("keys", "take", "--all")
    assert code == 5
    assert "not by this machine" in err
    assert not (tmp_path / "elsewhere").exists()
    assert places(run)["image-releases"] == "another machine"


def test_renewing_without_the_keys_is_refused(signing, run):
    assert run("keys", "renew")[0] == 5


def test_renewing_signs_every_list_again(signing, run):
    run("keys", "take", "--all")
    code, out, _ = run("keys", "renew", "--json")
    assert (code, json.loads(out)) == (0, {"renewed": ["targets", "functions-lamp"]})


def test_rotating_gives_this_machine_other_keys(signing, run):
    run("keys", "take", "--all")
    before = json.loads(run("keys", "show", "--json")[1])["keys"]
    code, _, err = run("keys", "rotate")
    assert code == 0, err
    after = json.loads(run("keys", "show", "--json")[1])["keys"]
    assert [old["id"] == new["id"] for old, new in zip(before, after, strict=True)] == [False] * 3 + [True, False, True]
    assert places(run)["image-root"] == "this machine"


def test_rotating_without_the_keys_is_refused(signing, run):
    assert run("keys", "rotate")[0] == 5


def on(monkeypatch, tmp_path, name):
    monkeypatch.setenv("LAMPLIGHT_KEYS", str(tmp_path / name))


def test_a_change_waits_for_another_machine_and_says_so(signing, run, monkeypatch, tmp_path):
    run("keys", "take", "--all")
    on(monkeypatch, tmp_path, "ben")
    assert run("keys", "request", str(tmp_path / "ben.json"))[0] == 0
    on(monkeypatch, tmp_path, "release-keys")
    code, out, err = run("keys", "holders", str(tmp_path / "ben.json"), "--threshold", "2")
    assert code == 0, err
    assert out.startswith("Once enough have signed: 2 of 2")
    assert "`lamplight keys sign`" in err
    on(monkeypatch, tmp_path, "ben")
    code, _, err = run("keys", "sign", "--yes")
    assert code == 0, err
    assert "(new)" in err
    assert signing.pending() == {}
    assert run("keys", "sign", "--yes")[0] == 5
    code, out, _ = run("keys", "rotate", "director-online", "--json")
    assert json.loads(out)["pending"]["director"]["lacks"] == 1


def test_a_request_that_cannot_be_written_or_read_says_which(signing, run, tmp_path):
    run("keys", "take", "--all")
    assert run("keys", "request", str(tmp_path / "none" / "x.json"))[0] == 3
    assert run("keys", "holders", str(tmp_path / "gone.json"), "--threshold", "1")[0] == 3
    (tmp_path / "junk.json").write_text("{}")
    assert run("keys", "holders", str(tmp_path / "junk.json"), "--threshold", "1")[0] == 2


def test_a_person_says_that_the_shims_clock_is_right(signing, run):
    signing.clock._last = 0.0
    assert signing.clock.complaint()
    assert "now" in json.loads(run("keys", "clock", "--right", "--json")[1])
    assert not signing.clock.complaint()
