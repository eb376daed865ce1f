"""Whatever stands in a request: an answer in the one form, and never the shim's own failure."""

import json

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

HUGE = "9" * 5000
ROUTES = [
    ("/api/devices", {"name": "x", "board": "lamplight/simulated", "simulation": None}),
    ("/api/devices/pi/deploy", {"kind": "function", "name": "lamp", "version": 1, "config": {"a": 1}, "trial": None}),
    ("/api/devices/pi/deploy", {"trial": {"seconds": 1, "events": 1}, "kind": "model", "name": "m", "version": 1}),
    ("/api/devices/pi/rollback", {}),
    ("/api/devices/pi/functions/lamp/source", {"files": {"main.py": "", "function.toml": ""}}),
    ("/api/devices/pi/functions/lamp/call", {"data": {"lux": 5}}),
    ("/api/sim/pi", {"lux": 1, "covered": True, "unplugged": False}),
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def in_form(answer):
    """Whether it is an answer, or a refusal as docs/api.md describes it."""
    if answer.status_code == 200:
        return True
    told = answer.json()["error"]
    return answer.status_code < 500 and set(told) == {"what", "why", "remedy", "exit_code"} and told["what"]


@seed(2)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(route=st.sampled_from(ROUTES), data=st.data())
def test_any_value_in_any_field_is_answered(http, route, data):
    path, good = route
    key = data.draw(st.sampled_from([*good, "unknown"]))
    body = json.dumps({**good, key: data.draw(VALUES)})
    answer = http.post(path, content=body)
    assert in_form(answer), (path, body, answer.text)


@pytest.mark.parametrize("value", ["1e999", HUGE, '"\\ud800"', '{"\\ud800": 1}', "[" * 100 + "]" * 100, "NaN"])
@pytest.mark.parametrize(("path", "good"), ROUTES[:3] + ROUTES[4:])
def test_what_no_device_could_be_sent_is_refused_as_the_senders_mistake(http, path, good, value):
    for key in good:
        body = json.dumps({**good, key: "HERE"}).replace('"HERE"', value)
        assert http.post(path, content=body).status_code == 400


@pytest.mark.parametrize("place", [HUGE, "-1", "1.0", "²", str(2**63)])
def test_a_place_in_the_stream_that_is_none_is_refused(http, place):
    assert http.get("/api/stream", headers={"Last-Event-ID": place.encode()}).status_code == 400
    assert http.get("/api/records", params={"after": place}).status_code == 400


def test_a_browser_at_an_address_that_is_none_gets_a_page_and_a_program_gets_json(http):
    page = http.get("/nope<b>", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.status_code == 404
    assert "text/html" in page.headers["content-type"]
    assert "There is no page at /nope" in page.text
    assert "<b>" not in page.text
    assert "Content-Security-Policy" in page.headers
    for path, accept in [("/nope", "*/*"), ("/api/nope", "text/html"), ("/static/nope.js", "text/html")]:
        answer = http.get(path, headers={"Accept": accept})
        assert answer.status_code == 404
        assert answer.json()["error"]["exit_code"] == 3
    assert http.post("/api/health", headers={"Accept": "text/html"}).status_code == 405


def test_whether_releases_can_be_signed_is_told(http):
    assert http.get("/api/health").json()["signs_releases"] is True
