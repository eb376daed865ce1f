"""Calling a function from the command line."""

import io
import json

import pytest

CALL = "POST /api/devices/desk-pi/functions/hello/call"


def test_the_answer_is_data_on_standard_output(shim, run):
    shim.answers[CALL] = {"result": {"greeting": "Hello, Ada!"}}
    code, out, _ = run("call", "desk-pi/hello", '{"name": "Ada"}')
    assert (code, json.loads(out)) == (0, {"greeting": "Hello, Ada!"})
    assert shim.asked(CALL) == [{"data": {"name": "Ada"}, "type": "lamplight.call"}]


def test_without_data_the_event_has_none(shim, run):
    shim.answers[CALL] = {"result": None}
    assert run("call", "desk-pi/hello", "--json")[1] == "null\n"
    assert shim.asked(CALL) == [{"data": None, "type": "lamplight.call"}]


def test_data_that_is_no_json_is_refused_before_anything_is_sent(shim, run):
    code, _, err = run("call", "desk-pi/hello", "{name: Ada}")
    assert code == 2
    assert "not JSON" in err
    assert not shim.requests


def test_a_device_without_a_function_is_wrong_usage(run):
    assert run("call", "desk-pi")[0] == 2


def test_a_path_of_three_parts_is_wrong_usage(run):
    assert run("call", "desk-pi/hello/again")[0] == 2


def test_a_handler_that_raises_is_a_rejection(shim, run):
    shim.refuse(CALL, 422, 5, "hello raised KeyError: 'name'")
    code, _, err = run("call", "desk-pi/hello")
    assert code == 5
    assert "KeyError" in err


def test_no_answer_is_offline(shim, run):
    shim.refuse(CALL, 504, 4, "desk-pi did not answer")
    assert run("call", "desk-pi/hello")[0] == 4


def test_an_event_of_any_type_is_sent_by_hand(shim, run):
    shim.answers[CALL] = {"result": None}
    assert run("call", "desk-pi/hello", "--type", "lamplight.sensor.reading", "--data", '{"lux": 3}')[0] == 0
    assert shim.asked(CALL) == [{"data": {"lux": 3}, "type": "lamplight.sensor.reading"}]


def test_data_given_twice_is_wrong_usage(run):
    assert run("call", "desk-pi/hello", "1", "--data", "2")[0] == 2


NO_JSON = ["{", "NaN", "1e400", '{"a": [-Infinity]}', '"\\ud800"', "[" * 100_000, "[" * 99 + "]" * 99]


@pytest.mark.parametrize("data", NO_JSON, ids=lambda data: data[:20])
def test_what_json_cannot_say_is_wrong_usage_and_asks_nothing(shim, run, data):
    code, _, err = run("call", "desk-pi/hello", data)
    assert code == 2 and len(err) < 500
    assert shim.asked(CALL) == []


@pytest.mark.parametrize("form", ["@{}", "file://{}"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_data_can_come_from_a_file_where_a_shell_has_no_single_quotes(shim, run, tmp_path, form, mark):
    shim.answers[CALL] = {"result": None}
    (tmp_path / "event.json").write_bytes(mark + b'{"name": "Ada"}\r\n')
    for arguments in ([form.format(tmp_path / "event.json")], ["--data", form.format(tmp_path / "event.json")]):
        assert run("call", "desk-pi/hello", *arguments)[0] == 0
    assert [each["data"] for each in shim.asked(CALL)] == [{"name": "Ada"}] * 2


@pytest.mark.parametrize("given", ["-", "@-"])
def test_data_can_come_from_standard_input(shim, run, monkeypatch, given):
    shim.answers[CALL] = {"result": None}
    monkeypatch.setattr("sys.stdin", io.StringIO("[1]"))
    assert run("call", "desk-pi/hello", given)[0] == 0
    assert shim.asked(CALL)[0]["data"] == [1]


def test_a_file_of_data_that_is_not_there_or_no_text_is_named(shim, run, tmp_path):
    (tmp_path / "event.json").write_bytes(b"\xff\xfe{\x00")
    assert run("call", "desk-pi/hello", f"@{tmp_path / 'nothing.json'}")[0] == 3
    code, _, err = run("call", "desk-pi/hello", f"@{tmp_path / 'event.json'}")
    assert (code, "save it as UTF-8" in err) == (2, True)
    assert not shim.requests
