"""Which boards are exposed, in a table and as JSON, and the exit code."""

import json

import pytest


def use(version="1.0", **changed):
    told = {
        "device": "desk-pi",
        "online": False,
        "last_seen": 0.0,
        "revoked": False,
        "package": "leaf",
        "version": version,
        "requires": "",
        "functions": ["lamp", "lantern"],
        "agent": "",
        "state": "running",
        "generation": 3,
        "since": 1e9,
    }
    return {**told, **changed}


@pytest.fixture
def exposed(shim):
    def answer(*uses, unknown=()):
        shim.answers["GET /api/exposure"] = {"package": "leaf", "uses": list(uses), "unknown": list(unknown)}

    answer()
    return answer


def test_boards_that_run_it_are_shown_and_the_exit_code_is_1(exposed, run):
    exposed(use(), use("2.0"))
    code, out, err = run("exposure", "leaf==1.0")
    assert (code, err) == (1, "")
    assert "desk-pi" in out and "lamp, lantern" in out and "2001-09-09" in out and "2.0" not in out
    code, out, _ = run("--json", "exposure", "leaf==1.0")
    assert (code, json.loads(out)["exposed"]) == (1, [use()])


def test_no_board_is_exit_code_0(exposed, run):
    exposed(use("2.0"))
    code, out, err = run("exposure", "leaf==1.0")
    assert (code, out) == (0, "") and "No board is known to run leaf==1.0" in err
    assert json.loads(run("--json", "exposure", "leaf<2")[1])["exposed"] == []


def test_the_agent_a_version_that_is_not_known_and_what_is_asked_for(exposed, run):
    exposed(
        use("", requires=">=6", functions=[], agent="0.2.0", since=None, revoked=True),
        use("2.0", state="asked", since=None),
    )
    code, out, _ = run("exposure", "leaf")
    assert code == 1
    for told in (">=6 (not known)", "agent 0.2.0", "not known", "revoked", "asked for"):
        assert told in out


def test_boards_that_do_not_tell_are_named(exposed, run):
    exposed(unknown=["attic-pi"])
    code, _, err = run("exposure", "leaf")
    assert code == 0 and "attic-pi" in err
    assert json.loads(run("--json", "exposure", "leaf")[1])["unknown"] == ["attic-pi"]


def test_an_advisory(exposed, run, tmp_path):
    exposed(use("1.0"), use("3.0"))
    file = tmp_path / "CVE.json"
    affected = {"product": "leaf", "versions": [{"version": "< 2", "status": "affected"}]}
    cna = {"title": "It leaks", "affected": [affected]}
    file.write_text(json.dumps({"cveMetadata": {"cveId": "CVE-2026-1"}, "containers": {"cna": cna}}))
    code, out, err = run("exposure", str(file))
    assert code == 1 and "1.0" in out and "3.0" not in out and "taken by the name" in err
    told = json.loads(run("--json", "exposure", str(file))[1])
    assert (told["id"], told["packages"], [each["version"] for each in told["exposed"]]) == (
        "CVE-2026-1",
        ["leaf"],
        ["1.0"],
    )


def test_what_cannot_be_asked_is_wrong_usage(exposed, run, tmp_path):
    (tmp_path / "x.json").write_text("{}")
    assert run("exposure", "two words")[0] == 2
    assert run("exposure", str(tmp_path / "x.json"))[0] == 2
    assert run("exposure", str(tmp_path / "none.json"))[0] == 3
