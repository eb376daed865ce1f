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


def run(folder, body):
    (folder / "function.toml").write_text(textwrap.dedent(TOML))
    (folder / "main.py").write_text(textwrap.dedent(MAIN))
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
