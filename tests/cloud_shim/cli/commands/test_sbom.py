"""Which release or device is meant, and where its bill of materials goes."""

import json

import pytest

RELEASES = [
    {"kind": "function", "name": "lamp", "version": 2},
    {"kind": "function", "name": "lamp", "version": 1},
    {"kind": "model", "name": "both", "version": 1},
    {"kind": "function", "name": "both", "version": 1},
]
BOM = {"bomFormat": "CycloneDX", "components": [{}]}


@pytest.fixture
def fleet(shim, device):
    shim.answers["GET /api/devices"] = {"devices": [device()]}
    shim.answers["GET /api/releases"] = {"releases": RELEASES}
    for which in ("releases/function/lamp/1", "releases/function/lamp/2", "releases/model/both/1", "devices/desk-pi"):
        shim.answers[f"GET /api/{which}/sbom"] = {**BOM, "of": which}
    return shim


@pytest.mark.parametrize(
    ("what", "of"),
    [
        ("lamp", "releases/function/lamp/2"),
        ("lamp@1", "releases/function/lamp/1"),
        ("function/lamp@v1", "releases/function/lamp/1"),
        ("model/both", "releases/model/both/1"),
        ("desk-pi", "devices/desk-pi"),
    ],
)
def test_a_release_or_a_device(fleet, run, what, of):
    code, out, err = run("sbom", what)
    assert (code, json.loads(out)["of"], err) == (0, of, "")
    assert json.loads(run("--json", "sbom", what)[1])["of"] == of


@pytest.mark.parametrize("what", ["nothing", "lamp@3", "model/lamp", "desk-pi@1", "/", "@", "a/b/c@1", "lamp@"])
def test_what_there_is_not_is_not_found(fleet, run, what):
    code, out, err = run("sbom", what)
    assert (code, out) == (3, "") or what == "lamp@"
    assert "Traceback" not in err


def test_a_name_of_two_kinds_is_asked_for_again(fleet, run):
    code, _, err = run("sbom", "both@1")
    assert code == 2 and "function/both@1" in err


def test_it_goes_to_a_file(fleet, run, tmp_path):
    code, out, err = run("sbom", "lamp", "-o", str(tmp_path / "bom.json"))
    assert (code, out) == (0, "") and "1 component" in err
    assert json.loads((tmp_path / "bom.json").read_text())["of"] == "releases/function/lamp/2"


def test_a_file_that_cannot_be_written_is_told(fleet, run, tmp_path):
    code, _, err = run("sbom", "lamp", "-o", str(tmp_path / "missing" / "bom.json"))
    assert code == 1 and "Cannot write" in err
