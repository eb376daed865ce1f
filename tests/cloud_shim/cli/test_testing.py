"""The fixture that a function's own tests are given."""

import textwrap

import pytest

from cloud_shim.cli.commands import test as command
from cloud_shim.cli.options import Options
from device.errors import LamplightError

MAIN = """
    import time
    calls = 0
    def handler(event, context):
        global calls
        calls += 1
        if event.data == "fail":
            raise ValueError("no")
        if event.type == "lamplight.call":
            return [calls, context.state.setdefault("first", calls), context.sensors["light"].lux,
                    context.pins["button"].value, time.time()]
        context.pins["led"].value = event.data["lux"] < context.config["threshold"]
        context.log.info("seen")
"""
TOML = """
    name = "f"
    handler = "main:handler"
    sensors = ["light"]
    [pins.led]
    [pins.button]
    direction = "in"
    [config]
    threshold = 100
"""


def run(folder, body, main=MAIN):
    (folder / "function.toml").write_text(textwrap.dedent(TOML))
    (folder / "main.py").write_text(textwrap.dedent(main))
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "tests" / "test_main.py").write_text(textwrap.dedent(body))
    command.run.main([str(folder)], standalone_mode=False, obj=Options())


def test_it_is_given_light_calls_readings_inputs_and_time(tmp_path):
    run(
        tmp_path,
        """
        def test_all(function):
            function.configure(threshold=10)
            function.sensors["light"] = 3.5
            function.inputs["button"] = True
            function.light(20)
            assert function.pins == {"led": False}
            assert function.said[0]["text"] == "seen"
            first = function.call()
            function.wait(60)
            second = function.call()
            assert first[:4] == [2, 2, 3.5, True] and second[:4] == [3, 2, 3.5, True]
            assert second[4] - first[4] == 60
        """,
    )


WEB = """
    def handler(event, context):
        data = event.data
        yield f"{data['method']} {data['path']} {data['queries']} "
        yield f"{data['headers']['x-mine']} {data['body']}"
"""


def test_it_is_given_a_request_and_gives_the_parts_of_its_answer_as_a_whole(tmp_path):
    run(
        tmp_path,
        """
        def test_it(function):
            answer = function.request("POST", "/a?b=1&b=2", "on", {"X-Mine": "me"})
            assert answer["body"] == "POST /a {'b': ['1', '2']} me on"
        """,
        WEB,
    )


def test_a_sensor_that_it_reads_gives_what_the_latest_event_had(tmp_path):
    run(
        tmp_path,
        """
        def test_it(function):
            function.inputs["button"] = True
            for lux in (500, 5):
                function.light(lux)
                assert function.call()[2] == lux
        """,
    )


def test_each_test_has_a_function_of_its_own(tmp_path):
    body = """
        def test_one(function):
            function.inputs["button"] = False
            function.sensors["light"] = 1
            assert function.call()[:2] == [1, 1]
        test_two = test_one
    """
    run(tmp_path, body)


def test_a_handler_that_fails_fails_the_test_with_its_place(tmp_path):
    body = """
        import pytest
        from device.errors import LamplightError
        def test_it(function):
            with pytest.raises(LamplightError, match="(?s)ValueError: no.*main.py:8"):
                function.send("t", "fail")
    """
    run(tmp_path, body)


def test_a_wrong_expectation_fails(tmp_path):
    with pytest.raises(LamplightError, match="tests failed"):
        run(tmp_path, "def test_it(function):\n    function.light(20)\n    assert not function.pins['led']")


def test_tests_that_are_all_skipped_are_no_success(tmp_path, capfd):
    for body in (
        "import pytest\ndef test_it(function): pytest.skip('there is no model in models/presence')",
        "import pytest\npytest.skip('there is no model in models/presence', allow_module_level=True)",
    ):
        with pytest.raises(LamplightError, match="No test ran"):
            run(tmp_path, body)
        assert "there is no model in models/presence" in capfd.readouterr().out


def test_one_that_is_skipped_beside_one_that_passes_is_told(tmp_path, capfd):
    run(tmp_path, "import pytest\ndef test_a(function): pytest.skip('no model')\ndef test_b(function): pass")
    assert "no model" in capfd.readouterr().out


@pytest.mark.parametrize("where", ["elsewhere", "in the function's folder"])
def test_the_function_s_own_names_come_first_as_on_a_board(tmp_path, monkeypatch, where):
    if where != "elsewhere":
        monkeypatch.chdir(tmp_path)
    for name in ("device", "models", "calendar", "json", "pytest", "click"):
        (tmp_path / f"{name}.py").write_text("WHO = 'mine'")
    main = """
        import calendar, click, device, json, models, pytest
        from . import device as again
        def handler(e, c): return [calendar.WHO, click.WHO, again.WHO, json.WHO, models.WHO, pytest.WHO]
    """
    run(tmp_path, "def test_one(function): assert function.call() == ['mine'] * 6\ntest_two = test_one", main)


def test_an_async_handler_sleeps_under_the_test_s_clock(tmp_path):
    body = """
        import asyncio, time
        def test_it(function):
            assert function.call() == [3600, 3, [1, 2], "late"]
    """
    main = """
        import asyncio, time
        async def one(n):
            await asyncio.sleep(n)
            return n
        async def handler(event, context):
            before = time.time()
            await asyncio.sleep(3600)
            slept = round(time.time() - before)
            thread = await asyncio.wait_for(asyncio.to_thread(sum, [1, 2]), 5)
            try:
                await asyncio.wait_for(one(10), 5)
                late = ""
            except TimeoutError:
                late = "late"
            return [slept, thread, {2, 1}, late]
    """
    run(tmp_path, body, main)


LAMBDA = """
    import json, os
    def lambda_handler(event, context):
        if "requestContext" not in event:
            return [event, os.environ["TABLE"], os.getcwd() == os.path.dirname(__file__)]
        return {"statusCode": 201, "body": event["requestContext"]["http"]["method"]}
"""


def test_a_handler_of_a_cloud_is_given_its_cloud_s_events(tmp_path):
    toml = """
        name = "f"
        handler = "app.lambda_handler"
        runtime = "aws-lambda"
        [environment]
        TABLE = "t"
    """
    body = """
        import os
        def test_it(function):
            here = os.getcwd()
            assert function.call({"a": 1}) == [{"a": 1}, "t", True]
            answer = function.request("GET", "/x")
            assert (answer["status"], answer["body"]) == (201, "GET")
            function.close()
            assert "TABLE" not in os.environ and os.getcwd() == here
    """
    (tmp_path / "app.py").write_text(textwrap.dedent(LAMBDA))
    (tmp_path / "function.toml").write_text(textwrap.dedent(toml))
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_app.py").write_text(textwrap.dedent(body))
    command.run.main([str(tmp_path)], standalone_mode=False, obj=Options())
