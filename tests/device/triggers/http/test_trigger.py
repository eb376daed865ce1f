"""Which request goes where, and what results stand for."""

import base64
import json

import pytest

from device.errors import LamplightError, OfflineError, UsageError
from device.protocol.triggers import HttpTrigger
from device.triggers.http.message import RefusedError, Request
from device.triggers.http.trigger import MOST_FIELDS, Routes, event_data


def request(method="GET", target="/lamp", body=b"", **headers):
    return Request(method, target, headers, body)


def asked(routes, **given):
    answer = routes.answer(request(**given), None)
    return answer.status, answer.body


@pytest.fixture
def routes():
    routes = Routes()
    routes.trigger(HttpTrigger("/lamp", ("GET",), 10), lambda *event, asked: "get")
    routes.trigger(HttpTrigger("/lamp", ("POST",), 20), lambda *event, asked: "post")
    routes.trigger(HttpTrigger("/files/*", ("GET",)), lambda *event, asked: event[3])
    routes.trigger(HttpTrigger("/files/mine/*", ("GET",)), lambda *event, asked: "mine")
    return routes


def test_a_request_goes_to_the_function_that_serves_path_and_method(routes):
    assert asked(routes) == (200, b"get")
    assert asked(routes, method="POST") == (200, b"post")
    assert asked(routes, target="/files/a/b?c=d") == (200, b"/files/a/b")
    assert asked(routes, target="/files/mine/a") == (200, b"mine")
    assert (routes.admit("GET", "/lamp"), routes.admit("POST", "/lamp")) == (10, 20)


NOT_SERVED = ["/", "/lamps", "/lamp/", "/files", "*", "//lamp"]
NOT_SERVED += ["http://elsewhere/x", "http://pi", "http:///lamp", "http://[/x", "ftp://pi/lamp"]


@pytest.mark.parametrize("target", NOT_SERVED)
def test_what_nobody_serves_is_not_found(routes, target):
    assert asked(routes, target=target)[0] == 404


@pytest.mark.parametrize("target", ["http://pi/lamp", "HTTPS://pi:8088/lamp?c=d"])
def test_a_target_that_names_the_host_is_taken_by_its_path(routes, target):
    assert asked(routes, target=target) == (200, b"get")


@pytest.mark.parametrize("target", ["/files/../lamp", "/files/%2e%2e/lamp"])
def test_a_path_that_climbs_stays_with_the_function_below_which_it_began(routes, target):
    assert asked(routes, target=target) == (200, b"/files/../lamp")


def test_another_method_is_told_which_are_allowed(routes):
    answer = routes.answer(request(method="DELETE"), None)
    assert (answer.status, answer.headers) == (405, [("Allow", "GET, HEAD, POST")])


@pytest.mark.parametrize("methods", [("GET",), ("GET", "POST"), ("GET", "HEAD"), ("HEAD",)])
def test_head_is_answered_where_get_is_and_asked_as_it_was_declared(methods):
    routes = Routes()
    routes.trigger(HttpTrigger("/lamp", methods), lambda *event, asked: event[2]["method"])
    answer = routes.answer(request(method="HEAD"), None)
    assert (answer.status, answer.body) == (200, b"HEAD" if "HEAD" in methods else b"GET")


def test_head_is_refused_where_get_is_not_taken():
    routes = Routes()
    routes.trigger(HttpTrigger("/lamp", ("POST",)), lambda *event, asked: "")
    assert routes.answer(request(method="HEAD"), None).status == 405


def test_a_closed_trigger_serves_no_longer():
    routes = Routes()
    routes.trigger(HttpTrigger("/lamp"), lambda *event, asked: None).close()
    assert asked(routes)[0] == 404


def test_the_event_has_what_was_asked():
    data = event_data(request("POST", "/lamp%20one?a=1&b=&a=2", "ö".encode(), host="pi"))
    assert data == {
        "method": "POST",
        "path": "/lamp one",
        "query": {"a": "2", "b": ""},
        "queries": {"a": ["1", "2"], "b": [""]},
        "headers": {"host": "pi"},
        "body": "ö",
        "base64": False,
    }


def test_bytes_that_are_no_text_come_as_base64():
    data = event_data(request(body=b"\xff\x00"))
    assert (base64.b64decode(data["body"]), data["base64"]) == (b"\xff\x00", True)


def test_percent_escapes_that_are_no_unicode_do_not_break_the_event():
    json.dumps(event_data(request(target="/%ff?%fe=%ed%a0%80")), ensure_ascii=False).encode()


def test_a_query_of_a_million_fields_is_refused():
    with pytest.raises(RefusedError, match="400"):
        event_data(request(target="/lamp?" + "a&" * (MOST_FIELDS + 1)))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("too much"), 413),
        (OfflineError("no answer"), 504),
        (LamplightError("failed", "main.py line 3: secret"), 500),
        (RuntimeError("a fault"), 500),
    ],
)
def test_what_goes_wrong_has_a_status_and_tells_no_secrets(error, status):
    def ask(*event, asked):
        raise error

    routes = Routes()
    routes.trigger(HttpTrigger("/lamp"), ask)
    got, body = asked(routes)
    assert got == status
    assert b"secret" not in body


@pytest.mark.parametrize("result", [{"status": 99}, {"status": 200, "headers": {"X-None": None}}])
def test_an_unusable_result_is_an_error_of_the_function_told_to_the_caller_and_in_the_log(result, caplog):
    routes = Routes()
    routes.trigger(HttpTrigger("/lamp"), lambda *event, asked: result)
    answer = routes.answer(request(), None)
    assert answer.status == 500
    assert answer.body.decode().strip() in caplog.text
    assert "/lamp" in caplog.text
