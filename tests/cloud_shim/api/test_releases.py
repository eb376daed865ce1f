"""Releases over HTTP."""

import io
import tarfile

import pytest

from cloud_shim.api import requests


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
