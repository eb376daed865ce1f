"""A browser's way in: a link that is good once, and the cookie that it gets for it."""

import pytest
from starlette.testclient import TestClient

from cloud_shim.people import links, token_text, tokens

PAGE = {"Accept": "text/html"}


@pytest.fixture
def browser(http):
    """A browser that was never here; a new one at each call."""
    return lambda: TestClient(http.app, base_url="http://127.0.0.1:8420", follow_redirects=False)


@pytest.fixture
def link(http):
    return http.post("/api/links").json()["path"]


def test_a_link_signs_in_and_leads_to_a_clean_address(browser, link):
    mine = browser()
    answer = mine.get(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert (answer.headers["referrer-policy"], answer.headers["cache-control"]) == ("no-referrer", "no-store")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("lamplight-8420=")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert mine.get("/", headers=PAGE).headers["location"] == "/devices/pi"
    page = mine.get("/devices/pi", headers=PAGE)
    assert page.status_code == 200
    assert token_text.PREFIX not in page.text


def test_a_link_is_good_once(browser, link):
    mine, thief = browser(), browser()
    mine.get(link)
    stolen = thief.get(link, headers=PAGE)
    assert stolen.status_code == 401
    assert "used, or too old" in stolen.text
    assert "set-cookie" not in stolen.headers
    assert thief.get("/api/devices").status_code == 401


def test_a_link_opened_again_where_one_is_signed_in_just_leads_on(browser, link):
    mine = browser()
    for _ in range(2):
        assert mine.get(link).headers["location"] == "/"


def test_a_look_at_a_link_does_not_use_it(browser, link):
    assert browser().head(link).status_code == 401
    assert browser().get(link).status_code == 303


def test_a_link_ends(browser, http, monkeypatch):
    monkeypatch.setattr(links, "LIFETIME", 0.0)
    assert browser().get(http.post("/api/links").json()["path"]).status_code == 401


def test_a_session_ends_and_makes_no_links(browser, link, monkeypatch):
    mine = browser()
    mine.get(link)
    assert mine.post("/api/links", headers={"Origin": "http://127.0.0.1:8420"}).status_code == 403
    later = tokens.time.time() + tokens.SESSION + 1
    monkeypatch.setattr(tokens, "time", type("Later", (), {"time": staticmethod(lambda: later)}))
    assert mine.get("/api/devices").status_code == 401


@pytest.mark.parametrize("end", ["rotate", "revoke"])
def test_sessions_and_unused_links_end_with_their_token(browser, http, end):
    made = http.post("/api/tokens", json={"name": "ana", "permission": "view"}).json()
    ana = {"Authorization": f"Bearer {made['token']}"}
    used, unused = (http.post("/api/links", headers=ana).json()["path"] for _ in range(2))
    mine = browser()
    mine.get(used)
    assert mine.get("/api/devices").status_code == 200
    http.delete("/api/tokens/ana") if end == "revoke" else http.post("/api/tokens/ana/rotate")
    assert mine.get("/api/devices").status_code == 401
    assert browser().get(unused).status_code == 401


def test_a_page_asks_who_one_is_and_says_how_to_answer(browser):
    for path in ("/", "/devices/pi", "/nothing"):
        answer = browser().get(path, headers=PAGE)
        assert answer.status_code == 401
        assert "Who are you?" in answer.text
        assert "lamplight console" in answer.text
    assert "error" in browser().get("/fragments/devices", headers=PAGE).json()


def test_what_a_page_needs_to_ask_is_open(browser):
    assert browser().get("/static/css/base.css").status_code == 200


def test_a_session_has_the_permission_of_its_token(browser, http):
    made = http.post("/api/tokens", json={"name": "ana", "permission": "view"}).json()
    mine = browser()
    mine.get(http.post("/api/links", headers={"Authorization": f"Bearer {made['token']}"}).json()["path"])
    answer = mine.post("/api/devices/pi/rollback", headers={"Origin": "http://127.0.0.1:8420"})
    assert answer.status_code == 403
    assert "ana may not" in answer.json()["error"]["what"]
