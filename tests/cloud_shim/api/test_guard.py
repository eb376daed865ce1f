"""Requests that a web page from elsewhere makes a browser send."""

import pytest
from starlette.datastructures import Headers

from cloud_shim.api.guard import refusal

HOST = "127.0.0.1:8420"


def headers(*pairs):
    return Headers(raw=[(name.encode(), value.encode()) for name, value in pairs])


@pytest.mark.parametrize("host", [HOST, "localhost:8420", "[::1]:8420", "localhost"])
def test_loopback_passes_with_no_origin_and_with_its_own(host):
    assert refusal(headers(("host", host))) is None
    assert refusal(headers(("host", host), ("origin", f"http://{host}"))) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8420",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example@127.0.0.1",
        "127.0.0.1/evil.example",
        "evil.example#127.0.0.1",
        "192.168.1.7",
        "0.0.0.0:8420",
        "[::1",
        "",
    ],
)
def test_dns_rebinding_is_refused(host):
    assert refusal(headers(("host", host)))
    assert refusal(headers(("host", host), ("origin", f"http://{host}")))


def test_missing_or_doubled_host_is_refused():
    assert refusal(headers())
    assert refusal(headers(("host", HOST), ("host", "evil.example")))


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://127.0.0.1:8420",
        "http://127.0.0.1:3000",
        "http://localhost:8420",
        f"http://{HOST}.evil.example",
        "null",
        "",
    ],
)
def test_request_from_another_sites_page_is_refused(origin):
    assert refusal(headers(("host", HOST), ("origin", origin)))


def test_cross_site_post_deploys_nothing(http, shim, make_function):
    evil = {"origin": "http://evil.example", "content-type": "text/plain"}
    assert http.post("/api/releases", content=make_function(), headers=evil).status_code == 403
    assert http.post("/api/releases", content=make_function(), headers={"origin": "null"}).status_code == 403
    assert shim.registry.all() == []


def test_rebound_name_reads_and_deploys_nothing(http, make_function):
    evil = {"host": "evil.example:8420", "origin": "http://evil.example:8420"}
    for answer in (http.get("/api/devices", headers=evil), http.get("/", headers=evil)):
        assert answer.status_code == 403
        assert answer.json()["error"]["exit_code"] == 5
        assert "pi" not in answer.text
