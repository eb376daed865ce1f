"""The gate: every route is tried without a token, and with each permission below its own.

The routes are taken from the app itself: a new one is tried without being named here.
"""

import hmac

import pytest
from starlette.datastructures import Headers
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from cloud_shim import api, console
from cloud_shim.api import gate
from cloud_shim.people import token_text, tokens
from cloud_shim.people.identity import GRANTED, Permission

PATH = {"device": "pi", "function": "lamp", "model": "m", "claim": "c", "kind": "function", "name": "lamp"}
ROUTES = [*api.routes(), *console.routes()]
EACH = sorted(
    (method, route.path, permission)
    for route, permission in gate.permissions(ROUTES)
    if isinstance(route, Route)
    for method in route.methods - {"HEAD"}
)
CLOSED = [each for each in EACH if each[2] is not Permission.OPEN]


@pytest.fixture
def nobody(http):
    """A client of the same app that has no token, and no redirects followed."""
    return TestClient(http.app, base_url="http://127.0.0.1:8420", follow_redirects=False, raise_server_exceptions=False)


@pytest.fixture
def holder(http):
    """The headers of a new token: holder("view")."""

    def make(permission):
        answer = http.post("/api/tokens", json={"name": f"a-{permission}", "permission": permission})
        return {"Authorization": f"Bearer {answer.json()['token']}"}

    return make


@pytest.fixture
def signed_in(http, nobody):
    """A client with a browser's session."""
    nobody.get(http.post("/api/links").json()["path"])
    return nobody


def filled(path):
    return path.format(**PATH, version=1)


def test_every_route_says_its_permission_and_only_these_are_open():
    assert {path for _, path, permission in EACH if permission is Permission.OPEN} == {"/api/health", "/sign-in"}
    assert [each.path for each in ROUTES if isinstance(each, Mount)] == ["/static"]


@pytest.mark.parametrize("route", [Route("/api/new", print), Mount("/files", routes=[])])
def test_a_route_without_a_permission_keeps_the_shim_from_starting(route, shim):
    with pytest.raises(TypeError, match="declares no permission"):
        gate.Gate(print, [*ROUTES, route], shim.tokens.identify, console.refused)


def test_every_route_refuses_a_request_without_a_token_and_with_a_wrong_one(nobody):
    for method, path, _ in CLOSED:
        for headers in ({}, {"Authorization": f"Bearer {token_text.new()}"}, {"Authorization": "Bearer"}):
            answer = nobody.request(method, filled(path), headers=headers)
            assert answer.status_code == 401, (method, path, headers)
            told = answer.json()["error"]
            assert (told["exit_code"], answer.headers["www-authenticate"]) == (5, "Bearer")
            assert "LAMPLIGHT_TOKEN" in told["remedy"]


def test_every_route_refuses_a_token_below_its_permission_and_takes_one_with_it(nobody, holder):
    held = {permission: holder(word) for word, permission in GRANTED.items()}
    for method, path, needed in CLOSED:
        if path == "/api/stream":
            continue  # it has no end; tests/cloud_shim/test_app.py reads it
        for permission, headers in held.items():
            answer = nobody.request(method, filled(path), headers=headers)
            if permission < needed:
                assert answer.status_code == 403, (method, path, permission)
                assert needed.word in answer.json()["error"]["why"]
            else:
                assert answer.status_code not in (401, 403), (method, path, permission, answer.text)


def test_an_unknown_address_and_a_wrong_method_tell_nothing_without_a_token(nobody):
    for path in ("/", "/nothing", "/api/nothing", "/api/devices/", "/api/../api/devices", "//api/devices"):
        for method in ("GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "HEAD"):
            assert nobody.request(method, f"http://127.0.0.1:8420{path}").status_code == 401, (method, path)


def test_without_a_token_health_says_only_that_the_shim_lives(http, nobody):
    assert nobody.get("/api/health").json() == {"ok": True, "broker": {"connected": False}}
    assert {"notices", "signs_releases"} <= set(http.get("/api/health").json())


def test_a_token_in_an_address_is_never_read(http, nobody):
    token = http.headers["authorization"].removeprefix("Bearer ")
    for query in ("token", "access_token", "authorization", "code", "lamplight-8420"):
        assert nobody.get("/api/devices", params={query: token}).status_code == 401


def test_a_token_is_no_session_and_a_session_no_token(http, nobody, signed_in):
    token = http.headers["authorization"].removeprefix("Bearer ")
    session = signed_in.cookies["lamplight-8420"]
    stranger = TestClient(http.app, base_url="http://127.0.0.1:8420")
    assert stranger.get("/api/devices", headers={"Cookie": f"lamplight-8420={token}"}).status_code == 401
    assert stranger.get("/api/devices", headers={"Authorization": f"Bearer {session}"}).status_code == 401
    assert stranger.get("/api/devices", headers={"Cookie": f"lamplight-8420={session}"}).status_code == 200


def test_two_authorizations_are_none():
    given = Headers(raw=[(b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")])
    assert gate.presented(given).token == ""


def test_a_page_of_elsewhere_cannot_use_the_session_of_its_visitor(signed_in):
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:9022"}, {}):
        assert signed_in.post("/api/devices/pi/rollback", headers=headers).status_code == 403
    own = {"Origin": "http://127.0.0.1:8420"}
    assert signed_in.post("/api/devices/pi/rollback", headers=own).status_code == 422  # there is nothing to return to


def test_an_agent_needs_the_highest_permission_to_be_released_and_to_be_deployed(nobody, holder, shim):
    operator = holder("operate")
    wanted = {"kind": "agent", "name": "lamplight", "version": 1}
    assert nobody.post("/api/devices/pi/deploy", json=wanted, headers=operator).status_code == 403
    wanted["kind"] = "function"
    assert nobody.post("/api/devices/pi/deploy", json=wanted, headers=operator).status_code == 404


def test_tokens_are_compared_in_a_time_that_tells_nothing(http, monkeypatch):
    compared = []

    def compare(one, other):
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(tokens, "hmac", type("Hmac", (), {"compare_digest": staticmethod(compare)}))
    assert http.get("/api/devices").status_code == 200
    assert compared
    assert all(len(one) == len(other) == 64 for one, other in compared)


def test_each_request_carries_its_makers_name_into_what_it_makes(nobody, holder, make_function):
    operator = holder("operate")
    release = nobody.post("/api/releases", content=make_function("lamp"), headers=operator).json()
    assert release["by"] == "a-operate"
    named = {key: release[key] for key in ("kind", "name", "version")}
    nobody.post("/api/devices/pi/deploy", json=named, headers=operator)
    assert nobody.get("/api/devices/pi", headers=operator).json()["desired"]["by"] == "a-operate"
    nobody.delete("/api/devices/pi/functions/lamp", headers=holder("administer"))
    assert nobody.get("/api/devices/pi", headers=operator).json()["desired"]["by"] == "a-administer"


def test_a_websocket_has_no_way_in(http):
    with pytest.raises(WebSocketDisconnect) as closed, http.websocket_connect("/api/stream"):
        pass
    assert closed.value.code == 1008
