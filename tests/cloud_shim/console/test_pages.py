"""The pages as any HTTP client gets them, without a browser."""

import re

import pytest
from fake_shim import Fake
from fake_state import State
from starlette.testclient import TestClient

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def state():
    state = State()
    state.add_device("desk-pi")
    return state


@pytest.fixture
def fake(state):
    return Fake(state)


@pytest.fixture
def client(fake):
    return TestClient(fake.app, follow_redirects=False)


def test_one_device_is_gone_to_straight(client):
    answer = client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/devices/desk-pi")


def test_several_devices_are_listed_by_name(client, state):
    state.add_device("attic-pi")
    page = client.get("/").text
    assert page.index("attic-pi") < page.index("desk-pi")
    assert "All devices" in client.get("/devices/desk-pi").text


def test_every_page_tells_what_a_person_must_see_to(client, fake, state):
    fake.notices = ["What image-targets signed is good until tomorrow"]
    state.add_device("attic-pi")
    for path in ("/", "/devices/desk-pi"):
        assert '<p class="notice">What image-targets signed is good until tomorrow</p>' in client.get(path).text


def test_a_page_says_who_asked_for_what_runs(client, state):
    state.devices["desk-pi"]["desired"]["by"] = "ana"
    assert "Last asked for by ana." in client.get("/devices/desk-pi").text


def test_no_device_says_how_to_get_one(client, state):
    state.devices.clear()
    assert "lamplight up" in client.get("/").text


def test_the_list_leads_to_the_only_device_once_it_appears(client):
    assert client.get("/fragments/devices").headers["hx-redirect"] == "/devices/desk-pi"


def test_an_unknown_device_is_a_404_in_the_shims_words(client):
    answer = client.get("/devices/nobody")
    assert answer.status_code == 404
    assert "There is no device nobody" in answer.text
    assert client.get("/fragments/devices/nobody").status_code == 404


def test_a_failing_api_is_a_page_with_what_why_and_remedy(client, fake):
    fake.fail = True
    for path in ("/", "/devices/desk-pi"):
        answer = client.get(path)
        assert answer.status_code == 500
        assert "The database could not be read" in answer.text
        assert "Try: look at the shim&#39;s log" in answer.text
    assert client.get("/fragments/devices").status_code == 500


@pytest.mark.parametrize("name", ["..%2F..%2Fapi%2Fdevices", "a%00b", "%3Cscript%3E", "x%3Fy%23z"])
def test_a_devious_device_name_in_the_address_is_a_404(client, name):
    answer = client.get(f"/devices/{name}")
    assert answer.status_code == 404
    assert "<script>" not in answer.text.replace("<script src", "")


@pytest.mark.parametrize("path", ["/devices/desk-pi", "/fragments/devices/desk-pi"])
def test_html_in_what_a_device_reports_is_escaped(client, state, path):
    reported = state.devices["desk-pi"]["reported"]
    state.devices["desk-pi"]["board"] = EVIL
    state.devices["desk-pi"]["desired"] |= {"generation": 8}
    state.devices["desk-pi"]["desired"]["functions"]["night-light"]["config"] = {EVIL: EVIL}
    reported["update"] |= {"generation": 8, "state": "REJECTED", "reason": EVIL}
    reported["sensors"] = {"light": {"ok": False, "error": EVIL}}
    reported["functions"]["night-light"] |= {"state": EVIL, "last_error": EVIL}
    reported["confinement"] = {EVIL: EVIL}
    reported["agent"] = reported["boot"] = EVIL
    page = client.get(path).text
    assert "<script>alert" not in page
    assert "<img" not in page.replace('<img src="/static/logo.svg"', "")


def test_html_in_reasons_is_escaped_in_the_list(client, state):
    state.add_device("attic-pi")
    state.devices["attic-pi"]["desired"]["generation"] = 8
    state.devices["attic-pi"]["reported"]["update"] |= {"generation": 8, "state": "REVERTED", "reason": EVIL}
    assert "<script>alert" not in client.get("/").text


def test_pages_forbid_foreign_and_inline_content(client):
    answer = client.get("/devices/desk-pi")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=", answer.text)


def test_each_page_has_a_nonce_of_its_own(client):
    first, second = (client.get("/devices/desk-pi").headers["content-security-policy"] for _ in range(2))
    assert first != second


def test_a_real_board_has_no_light_slider(client, state):
    state.devices["desk-pi"]["simulated"] = False
    assert "sim-lux" not in client.get("/devices/desk-pi").text


def test_static_files_do_not_leave_their_folder(client):
    assert client.get("/static/%2e%2e/pages.py").status_code == 404
    assert client.get("/static/..%2fpages.py").status_code == 404


CLAIM = {
    "name": "shelf-pi",
    "board": "raspberry-pi/4b",
    "serial": "1000",
    "fingerprint": "0123-4567-89ab",
    "state": "waiting",
    "reason": "",
    "taken": False,
    "twice": False,
    "first": 1.0,
    "last": 1.0,
}


def test_a_new_board_is_shown_beside_the_only_device_until_it_is_decided(client, state):
    state.claims = [CLAIM]
    page = client.get("/")
    assert page.status_code == 200
    for told in ("shelf-pi", "raspberry-pi/4b", "1000", "0123-4567-89ab", 'data-decide="accept"', "desk-pi"):
        assert told in page.text
    assert "All devices" in client.get("/devices/desk-pi").text
    state.claims = [{**CLAIM, "state": "rejected"}]
    assert client.get("/").status_code == 303


def test_a_board_for_a_name_that_is_taken_is_not_accepted_by_a_click(client, state):
    state.claims = [{**CLAIM, "taken": True, "twice": True}]
    page = client.get("/fragments/devices").text
    assert 'data-decide="accept"' not in page and 'data-decide="reject"' in page
    assert "0123-4567-89ab --again" in page and "too" in page


def test_a_board_of_an_unknown_kind_is_not_accepted_by_a_click_that_could_only_fail(client, state):
    state.claims = [
        {**CLAIM, "board": "acme/toaster", "state": "refused", "reason": "there is no board 'acme/toaster'"}
    ]
    page = client.get("/fragments/devices").text
    assert 'data-decide="accept"' not in page and 'data-decide="reject"' in page


def test_what_a_stranger_says_of_itself_is_no_markup(client, state):
    state.claims = [{**CLAIM, "board": EVIL, "serial": EVIL, "reason": EVIL}]
    assert "<script>alert" not in client.get("/").text and "<img src=x" not in client.get("/").text
