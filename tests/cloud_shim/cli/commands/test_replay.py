"""Recording, replaying and testing a function from the command line."""

import json
import shutil

import pytest

from cloud_shim.cli import starters

NIGHT_LIGHT = starters.path("night-light")
SETTINGS = "GET /api/devices/desk-pi/functions/night-light/settings"


def decision(number, lux, lit, version=2, **more):
    given = {"source": "sensor/light", "time": 1000.0 + number, "data": {"lux": lux, "window": [lux]}}
    fields = {"id": number, "kind": "decision", "stream": "telemetry", "function": "night-light", "version": version}
    return {
        **fields,
        "event": f"e-{number}",
        "trigger": "t",
        "given": given,
        "pins": {"led": lit},
        "result": None,
        **more,
    }


@pytest.fixture
def recorded(shim, device):
    def put(*records):
        shim.answers["GET /api/devices/desk-pi"] = device()
        shim.answers["GET /api/records"] = {"records": list(records)}
        shim.answers[SETTINGS] = {"config": {"threshold": 100}}

    return put


def test_what_was_recorded_of_the_release_that_ran_last_is_a_trace_that_replays(run, recorded, tmp_path):
    recorded(
        decision(1, 5, True, version=1),
        decision(2, 5, True),
        {**decision(3, 5, True), "kind": "reading"},
        decision(4, 500, False),
    )
    trace = tmp_path / "trace.jsonl"
    assert run("record", "desk-pi/night-light", "-o", str(trace))[0] == 0
    header, *lines = [json.loads(line) for line in trace.read_text().splitlines()]
    assert (header["function"], header["version"]) == ("night-light", 2)
    assert [each["event"] for each in lines] == ["e-2", "e-4"]
    code, out, err = run("replay", str(trace), str(NIGHT_LIGHT))
    assert code == 0
    assert "● led" in out and "○ led" in out
    assert "2 events of 2 s on desk-pi" in err


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import nope\n", "No module named 'nope'"),
        ("raise SystemExit(3)\n", "SystemExit: 3"),
        ("x = 1 / 0\n", "ZeroDivisionError"),
        ("def handler(event, context:\n", "SyntaxError"),
    ],
)
def test_code_that_cannot_start_is_told_with_its_line_and_without_a_traceback(run, recorded, tmp_path, code, said):
    recorded(decision(1, 5, True))
    trace, folder = tmp_path / "trace.jsonl", tmp_path / "mine"
    assert run("record", "desk-pi/night-light", "-o", str(trace))[0] == 0
    shutil.copytree(NIGHT_LIGHT, folder)
    (folder / "main.py").write_text(code)
    ended, _, err = run("replay", str(trace), str(folder))
    assert ended == 5
    assert said in err and "main.py" in err
    assert "Traceback" not in err and "importlib" not in err


def test_after_a_rollback_it_is_the_release_that_runs_again(run, recorded):
    recorded(decision(1, 5, True, version=1), decision(2, 5, False), decision(3, 500, False, version=1))
    header, *lines = map(json.loads, run("record", "desk-pi/night-light")[1].splitlines())
    assert header["version"] == 1 and [each["event"] for each in lines] == ["e-1", "e-3"]
    assert json.loads(run("record", "desk-pi/night-light", "--version", "2")[1].splitlines()[1])["event"] == "e-2"


def test_a_trace_has_one_set_of_settings_those_that_the_release_had_last(run, recorded, shim):
    dark, bright = decision(1, 5, True), decision(2, 5, True)
    dark["given"]["settings"], bright["given"]["settings"] = "aa", "bb"
    recorded(dark, bright, {**decision(3, 5, True), "given": bright["given"]})
    _, *lines = map(json.loads, run("record", "desk-pi/night-light")[1].splitlines())
    assert [each["event"] for each in lines] == ["e-2", "e-3"]
    assert [query["mark"] for what, query in shim.queries if what == SETTINGS] == ["bb"]


def test_a_trace_has_the_settings_of_its_own_release(run, recorded, shim, tmp_path):
    recorded(decision(1, 150, True))
    shim.answers[SETTINGS] = {"config": {"threshold": 200}}
    trace = tmp_path / "trace.jsonl"
    run("record", "desk-pi/night-light", "-o", str(trace))
    assert run("replay", str(trace), str(NIGHT_LIGHT))[0] == 0


def test_the_last_events_are_counted_within_the_release(run, recorded):
    recorded(*(decision(number, 5, True, version=1) for number in range(5)), decision(6, 5, True))
    given = ("record", "desk-pi/night-light", "--version")
    _, out, _ = run(*given, "1", "-n", "2")
    assert [json.loads(line)["event"] for line in out.splitlines()[1:]] == ["e-3", "e-4"]
    code, _, err = run(*given, "7")
    assert code == 3 and "no events of that release" in err and "night-light v1, night-light v2" in err


def test_what_was_removed_can_still_be_recorded(run, recorded, shim, device):
    recorded(decision(1, 5, True))
    shim.answers["GET /api/devices/desk-pi"] = {**device(), "desired": {"functions": {}}, "reported": None}
    assert run("record", "desk-pi/night-light")[0] == 0


def test_a_difference_is_shown_and_fails(run, recorded, tmp_path):
    recorded(decision(1, 5, True), decision(2, 5, False))
    trace = tmp_path / "trace.jsonl"
    run("record", "desk-pi/night-light", "-o", str(trace))
    code, out, err = run("replay", str(trace), str(NIGHT_LIGHT), "--differences")
    assert code == 1
    assert out.count("\n") == 1 and "led: recorded off, now on" in out
    assert "1 of 2 decisions are not as recorded" in err


def test_a_setting_is_tried_out_on_the_past_as_json(run, recorded, tmp_path):
    recorded(decision(1, 150, True))
    trace = tmp_path / "trace.jsonl"
    run("record", "desk-pi/night-light", "-o", str(trace))
    code, out, _ = run("--json", "replay", str(trace), str(NIGHT_LIGHT), "--set", "threshold=200")
    assert (code, json.loads(out)["pins"]) == (0, {"led": True})


def test_without_a_file_the_trace_is_the_output(run, recorded):
    recorded(decision(1, 5, True))
    assert json.loads(run("record", "desk-pi/night-light")[1].splitlines()[1])["event"] == "e-1"


@pytest.mark.parametrize(
    ("target", "code", "why"),
    [("desk-pi", 2, "Which"), ("desk-pi/night-light", 3, "recorded nothing"), ("desk-pi/nihgt", 3, "no function")],
)
def test_nothing_to_record_says_so(run, recorded, target, code, why):
    recorded()
    ended, _, err = run("record", target)
    assert ended == code and why in err


def test_a_function_that_cannot_be_replayed_ends_with_its_own_error(run, recorded, tmp_path):
    recorded(decision(1, 5, True))
    trace = tmp_path / "trace.jsonl"
    run("record", "desk-pi/night-light", "-o", str(trace))
    code, _, err = run("replay", str(trace), str(tmp_path))
    assert code == 3 and "has no function" in err
    assert run("replay", str(tmp_path / "missing"), str(NIGHT_LIGHT))[0] == 3


NOISY = """import os, sys
def handler(event, context):
    print("printed", event.data["lux"])
    os.write(1, b"raw\\n")
    sys.stderr.write("error: of its own\\n" + "x" * 200_000 + "\\n")
    context.pins["led"].value = event.data["lux"] < 100
    if event.data["lux"] == 7:
        sys.exit(0)
"""


def test_what_a_function_prints_much_or_little_is_no_decision_and_is_shown(run, recorded, tmp_path):
    folder = tmp_path / "night-light"
    shutil.copytree(NIGHT_LIGHT, folder)
    (folder / "main.py").write_text(NOISY)
    recorded(decision(1, 5, True), decision(2, 500, False))
    trace = tmp_path / "trace.jsonl"
    run("record", "desk-pi/night-light", "-o", str(trace))
    code, out, err = run("replay", str(trace), str(folder))
    assert code == 0, err
    assert "● led" in out and "printed" not in out
    assert "printed 5" in err and "raw" in err and "of its own" in err


def test_a_handler_that_exits_has_failed_at_that_event_and_the_next_follows(run, recorded, tmp_path):
    folder = tmp_path / "night-light"
    shutil.copytree(NIGHT_LIGHT, folder)
    (folder / "main.py").write_text(NOISY)
    recorded(decision(1, 7, True), decision(2, 500, False))
    trace = tmp_path / "trace.jsonl"
    run("record", "desk-pi/night-light", "-o", str(trace))
    code, out, err = run("replay", str(trace), str(folder))
    assert code == 1 and "SystemExit" in out and "○ led" in out
    assert "1 of 2 decisions" in err and "random numbers" in err


def test_the_tests_of_a_function_run_and_decide_the_exit_code(run, tmp_path):
    assert run("test", str(NIGHT_LIGHT))[0] == 0
    assert run("test", str(tmp_path))[0] == 3
    (tmp_path / "function.toml").write_text('name = "f"\nhandler = "main:handler"\n')
    (tmp_path / "main.py").write_text("def handler(event, context):\n    return event.data\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_main.py").write_text("def test_it(function):\n    assert function.call(1) == 2\n")
    assert run("test", str(tmp_path))[0] == 1
