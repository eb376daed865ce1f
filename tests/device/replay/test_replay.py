"""Same trace, same decisions; other code, and it is shown where."""

import json

import pytest

from tests.device.replay.conftest import event

LAMP = """
    def handler(event, context):
        context.pins["led"].value = event.data["lux"] < context.config["threshold"]
"""
LED = "[pins.led]\nsafe = false\n[config]\nthreshold = 50"


def reading(number, lux, lit):
    return event(number, {"lux": lux, "window": [lux], "saturated": False}, pins={"led": lit})


def test_the_same_code_decides_the_same_with_the_recorded_settings(replays):
    replays.function(LAMP, LED)
    replays.record(reading(1, 99, True), reading(2, 100, False), reading(3, 0, True))
    code, decisions, _ = replays.run()
    assert code == 0
    assert [each["pins"]["led"] for each in decisions] == [True, False, True]
    assert not any(each["differences"] for each in decisions)


def test_inverted_code_differs_at_each_event_and_says_how(replays):
    replays.function(LAMP.replace("<", ">="), LED)
    replays.record(reading(1, 99, True), reading(2, 100, False))
    code, decisions, _ = replays.run()
    assert code == 1
    assert [each["differences"] for each in decisions] == [
        ["led: recorded on, now off"],
        ["led: recorded off, now on"],
    ]


def test_a_setting_can_be_tried_out(replays):
    replays.function(LAMP, LED)
    replays.record(reading(1, 99, True))
    code, decisions, _ = replays.run("--config", '{"threshold": 10}')
    assert (code, decisions[0]["pins"]) == (1, {"led": False})


def test_what_the_handler_read_is_given_again_in_order(replays):
    replays.function(
        """
        def handler(event, context):
            lux = [context.sensors["light"].lux, context.sensors["light"].read().saturated]
            return [*lux, context.pins["button"].value, context.state["seen"]]
        """,
        'sensors = ["light"]\n[pins.button]\ndirection = "in"',
    )
    reads = [
        ["sensor", "light", [5.5, False]],
        ["sensor", "light", [9, True]],
        ["pin", "button", True],
        ["state", "seen", {"x": 1}],
    ]
    replays.record(event(1, trigger="lamplight.timer.tick", reads=reads, result=[5.5, True, True, {"x": 1}]))
    assert replays.run()[0] == 0


def test_the_reading_of_the_event_answers_a_sensor_that_the_old_code_did_not_read(replays):
    replays.function("def handler(event, context):\n    return context.sensors['light'].lux", 'sensors = ["light"]')
    replays.record(event(1, {"lux": 7.0, "saturated": False}, result=7.0))
    assert replays.run()[0] == 0


def test_what_was_never_recorded_is_not_invented(replays):
    replays.function("def handler(event, context):\n    return context.sensors['light'].lux", 'sensors = ["light"]')
    replays.record(event(1, trigger="lamplight.timer.tick", result=7.0))
    code, decisions, error = replays.run()
    assert (code, decisions) == (1, [])
    assert "no reading of the sensor 'light'" in error


def test_a_sensor_that_failed_fails_again(replays):
    code = """
        def handler(event, context):
            try:
                return context.sensors["light"].lux
            except Exception as error:
                return str(error)
    """
    replays.function(code, 'sensors = ["light"]')
    replays.record(
        event(
            1, trigger="lamplight.timer.tick", reads=[["sensor", "light", "it is unplugged"]], result="it is unplugged"
        )
    )
    assert replays.run()[0] == 0


def test_state_lasts_from_event_to_event_and_not_over_a_failure(replays):
    code = """
        def handler(event, context):
            context.state["n"] = context.state.get("n", 0) + 1
            if event.data:
                raise ValueError(event.data)
            return context.state["n"]
    """
    replays.function(code)
    first = event(1, reads=[["state", "n", 41]], result=42)
    replays.record(first, event(2, "no", error="ValueError: no"), event(3, result=43))
    code, decisions, _ = replays.run()
    assert (code, [each["result"] for each in decisions]) == (0, [42, None, 43])


def test_it_is_as_late_as_it_was_and_waiting_takes_no_time(replays):
    code = """
        import datetime, time
        from datetime import date
        def handler(event, context):
            before = time.monotonic()
            time.sleep(3600)
            now = datetime.datetime.now(datetime.timezone.utc)
            return [time.time() == event.time + 3600, time.monotonic() - before, now.year, date.today().year,
                    time.time_ns() // 10**9 == int(time.time()), round(context.remaining())]
    """
    replays.function(code)
    replays.record(event(1, result=[True, 3600, 2023, 2023, True, -3595]))
    code, decisions, error = replays.run()
    assert code == 0, (decisions, error)


def test_a_handler_that_hangs_now_ends_at_its_timeout(replays):
    replays.function("def handler(event, context):\n    while True: pass", 'timeout = "200ms"')
    replays.record(event(1), event(2))
    code, decisions, _ = replays.run()
    assert code == 1
    assert [each["error"] for each in decisions] == ["timeout: took longer than 0.2 s"] * 2


def test_failures_are_compared_by_what_they_say(replays):
    replays.function("def handler(event, context):\n    raise ValueError(event.data)")
    replays.record(event(1, "a", error="ValueError: a\n  main.py:2 in handler"), event(2, "b", error="KeyError: 'b'"))
    code, decisions, _ = replays.run()
    assert code == 1
    assert decisions[0]["differences"] == []
    assert decisions[1]["differences"] == ["recorded failed: KeyError: 'b', now failed: ValueError: b"]


def test_what_it_logs_and_publishes_is_told_and_goes_nowhere(replays):
    replays.function("def handler(event, context):\n    context.log.info('hi')\n    context.publish('t', 1)")
    replays.record(event(1))
    _, decisions, _ = replays.run()
    assert [each["is"] for each in decisions[0]["said"]] == ["log", "publish"]


def test_an_event_that_was_too_large_to_be_recorded_is_left_out(replays):
    replays.function("def handler(event, context):\n    return 1")
    large = event(1, result=1)
    del large["given"]["data"]
    replays.record(large, event(2, result=1, reads=None), event(3, result=1))
    assert [each["event"] for each in replays.run()[1]] == ["f-3"]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("", "line 1"),
        ("nonsense\n", "line 1"),
        ('{"trace": 2}\n', "line 1: trace: 2; this version reads format 1"),
        ('{"trace": 1, "device": "d", "function": "f", "version": 1, "config": {}}\n{}\n', "line 2: record.given"),
        ('{"trace": 1, "device": "d", "function": "f", "version": 1, "config": {}}\n[[', "line 2"),
    ],
)
def test_a_file_that_is_no_trace_is_refused_with_its_line(replays, lines, says):
    replays.function("def handler(event, context): pass")
    replays.trace.write_text(lines)
    code, _, error = replays.run()
    assert code == 5 and says in error


def test_a_trace_with_hostile_reads_is_refused(replays):
    replays.function("def handler(event, context): pass")
    replays.record(event(1, reads=[["sensor"]]))
    code, _, error = replays.run()
    assert code == 5 and "expected [kind, name, value]" in error


def test_a_missing_trace_and_a_folder_without_a_function_are_not_found(replays):
    code, _, error = replays.run()
    assert code == 3 and "cannot be read" in error
    replays.record(event(1))
    code, _, error = replays.run()
    assert code == 3 and "has no function" in error


def test_a_model_that_is_not_given_is_asked_for(replays):
    replays.function("def handler(event, context):\n    return context.models['cat'].run([1])", 'models = ["cat"]')
    replays.record(event(1))
    _, decisions, error = replays.run()
    assert "--model FOLDER" in (error or json.dumps(decisions))


def test_one_error_again_and_again_ends_it(replays):
    replays.function("def handler(event, context): return missing", LED)
    replays.record(*(reading(number, 1, True) for number in range(1, 100)))
    code, decisions, _ = replays.run()
    assert (code, len(decisions)) == (1, 10)


def test_errors_that_differ_or_that_the_board_had_too_do_not(replays):
    replays.function("def handler(event, context): raise ValueError(event.data['lux'] % 5)", LED)
    replays.record(*(reading(number, number, True) for number in range(1, 50)))
    assert len(replays.run()[1]) == 49
    replays.function("def handler(event, context): raise ValueError('as before')", LED)
    failed = [event(number, {"lux": 1}, error="ValueError: as before") for number in range(1, 50)]
    replays.record(*failed)
    assert (replays.run()[0], len(replays.run()[1])) == (0, 49)
