"""Releases over HTTP."""

import io
import tarfile

import pytest

from cloud_shim.api import requests
from cloud_shim.tables import ReleaseRow


def test_the_same_bytes_are_the_same_release(http, make_function):
    first = http.post("/api/releases", content=make_function()).json()
    assert http.post("/api/releases", content=make_function()).json() == first
    second = http.post("/api/releases", content=make_function(code="# 2")).json()
    assert (first["kind"], first["name"], first["version"], second["version"]) == ("function", "night-light", 1, 2)
    assert http.get("/api/releases").json() == {"releases": [second, first]}


def traversal() -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        info = tarfile.TarInfo("../../evil.py")
        tar.addfile(info, io.BytesIO())
    return data.getvalue()


@pytest.mark.parametrize("data", [b"", b"junk", traversal()])
def test_bad_artifact_is_refused(http, data):
    answer = http.post("/api/releases", content=data)
    assert answer.status_code == 422
    assert answer.json()["error"]["exit_code"] == 5
    assert http.get("/api/releases").json() == {"releases": []}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"code": "def broken(:"}, "main.py"),
        ({"toml": 'name = "lamp"\nhandler = "other:handler"\n'}, "other"),
        ({"toml": 'name = "lamp"\nhandler = "main:missing"\n'}, "missing"),
        ({"toml": 'name = "lamp"\nhandler = "main:handler"\n[[triggers]]\ntype = "moon"\n'}, "moon"),
    ],
    ids=["syntax-error", "missing-module", "missing-handler", "unknown-trigger"],
)
def test_bad_bundle_is_refused_naming_what_is_wrong(http, make_function, changes, named):
    answer = http.post("/api/releases", content=make_function(**changes))
    assert answer.status_code == 422
    assert named in answer.text


def test_body_beyond_the_limit_is_refused(http):
    answer = http.post("/api/devices/pi/deploy", content=b" " * (requests.MAX_JSON + 1))
    assert answer.status_code == 422
    assert "too large" in answer.text


@pytest.fixture
def lamp(http, make_function):
    """A function on the board, which holds its LED."""
    release = http.post("/api/releases", content=make_function("lamp")).json()
    body = {key: release[key] for key in ("kind", "name", "version")}
    assert http.post("/api/devices/pi/deploy", json=body).status_code == 200


@pytest.mark.parametrize("signs", ["", "&unsigned=1"])
@pytest.mark.parametrize(
    ("device", "changes", "status", "told"),
    [
        ("pii", {}, 404, "There is no device 'pii'"),
        ("pi", {}, 422, "both lease"),
        ("pi", {"pins": '[pins.nose]\ndirection = "out"'}, 422, "nose"),
        ("pi", {"pins": "", "models": ["presence"]}, 422, "needs the model 'presence'"),
        ("shut-out", {"pins": ""}, 422, "was revoked"),
    ],
    ids=["misspelt-device", "shared-pin", "unknown-pin", "missing-model", "revoked-device"],
)
def test_a_release_the_device_cannot_take_gets_no_number(
    http, shim, make_function, lamp, device, changes, status, told, signs
):
    http.post("/api/devices", json={"name": "shut-out", "board": "lamplight/simulated"})
    http.post("/api/devices/shut-out/revoke")
    refused = http.post(f"/api/releases?device={device}{signs}", content=make_function("fan", **changes))
    assert (refused.status_code, told in refused.text) == (status, True), refused.text
    assert [each["name"] for each in http.get("/api/releases").json()["releases"]] == ["lamp"]
    good = http.post("/api/releases?device=pi", content=make_function("fan", "# good", pins="")).json()
    assert good["version"] == 1
    with shim.database.read() as session:
        assert session.query(ReleaseRow).count() == 2


def test_content_that_has_its_number_keeps_it_whatever_the_device(http, make_function, lamp):
    first = http.post("/api/releases", content=make_function("lamp")).json()
    assert http.post("/api/releases?device=pi", content=make_function("lamp")).json() == first
    assert http.post("/api/releases?device=nowhere", content=make_function("lamp")).json() == first
