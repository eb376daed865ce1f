"""A handler's result as an HTTP answer."""

import pytest

from device.triggers.http.answers import response


@pytest.mark.parametrize(
    ("result", "status", "body"),
    [
        (None, 204, b""),
        ("hello", 200, b"hello"),
        ({"lit": True}, 200, b'{"lit": true}'),
        ([1], 200, b"[1]"),
        ({}, 200, b"{}"),
        ({"status": 201}, 201, b""),
        ({"status": 404, "body": "no"}, 404, b"no"),
        ({"status": 200, "body": {"a": 1}}, 200, b'{"a": 1}'),
        ({"status": 200, "body": "/wA=", "base64": True}, 200, b"\xff\x00"),
        ({"status": 200, "body": {"base64": "/wA="}}, 200, b"\xff\x00"),
        ({"base64": "/wA="}, 200, b"\xff\x00"),
        ({"status": "on", "volume": 3}, 200, b'{"status": "on", "volume": 3}'),
    ],
)
def test_a_result_becomes_an_answer(result, status, body):
    answer = response(result)
    assert (answer.status, answer.body) == (status, body)


@pytest.mark.parametrize(
    ("result", "named"),
    [
        ({"status": 99}, "99"),
        ({"status": 600}, "600"),
        ({"status": True}, "true"),
        ({"status": "on"}, "on"),
        ({"status": 200, "headers": []}, "headers"),
        ({"status": 200, "body": "!", "base64": True}, "base64"),
        ({"base64": "!"}, "base64"),
        ({"status": 200, "headers": {"X-None": None}}, "X-None = null"),
        ({"status": 200, "headers": {"X-Bool": True}}, "X-Bool = true"),
        ({"status": 200, "headers": {"X-Table": {"a": 1}}}, "X-Table"),
        ({"status": 200, "headers": {"X-Deep": [["a"]]}}, "X-Deep"),
    ],
)
def test_an_answer_that_is_none_is_an_error_that_names_its_part(result, named):
    with pytest.raises(ValueError, match="the function gave") as error:
        response(result)
    assert named in str(error.value)


def test_a_list_is_one_line_for_each_value():
    headers = {"Set-Cookie": ["a=1", "b=2"], "X-Number": 5, "X-Nothing": []}
    lines = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Number", "5")]
    assert response({"status": 200, "headers": headers}).headers == lines


def test_a_type_chosen_by_the_handler_is_the_only_one():
    answer = response({"status": 200, "headers": {"content-type": "application/problem+json"}, "body": {}})
    assert answer.headers == [("content-type", "application/problem+json")]


def test_a_handler_cannot_frame_its_answer_by_hand():
    headers = {"Content-Length": "5", "Transfer-Encoding": "chunked", "connection": "x", "X-Mine": "1"}
    assert response({"status": 200, "headers": headers}).headers == [("X-Mine", "1")]
