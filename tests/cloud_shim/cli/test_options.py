"""What --set takes."""

import pytest

from cloud_shim.cli.options import parse_config
from device.errors import UsageError


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        ("x=200", 200),
        ("x=1.5", 1.5),
        ("x=true", True),
        ("x=null", None),
        ("x=[1, 2]", [1, 2]),
        ('x="200"', "200"),
        ("x=warm white", "warm white"),
        ("x=a=b", "a=b"),
        ("x=", ""),
        ("x=NaN", "NaN"),
        ("x=Infinity", "Infinity"),
        pytest.param("x=" + "[" * 100_000, "[" * 100_000, id="endless"),
    ],
)
def test_a_value_is_json_where_it_is_json_and_text_elsewhere(pair, value):
    parsed = parse_config([pair], {})
    assert parsed == {"x": value}
    assert type(parsed["x"]) is type(value)


def test_no_settings_at_all_keep_the_previous_ones():
    assert parse_config([], {"x": 1}) is None


@pytest.mark.parametrize(
    ("default", "given", "value"),
    [
        ("", "1234", "1234"),
        ("", "007", "007"),
        ("", "true", "true"),
        ("", "null", "null"),
        ("", "1e5", "1e5"),
        ("", '"1234"', "1234"),
        ("", '{"a": 1}', '{"a": 1}'),
        (False, "True", True),
        (False, "yes", True),
        (True, "OFF", False),
        (5, "7", 7),
        (5, "1e5", 100_000),
        (5, "2.5", 2.5),
        (0.5, "7", 7),
        ([1], "[1, 2]", [1, 2]),
        ({"a": 1}, '{"a": 2}', {"a": 2}),
    ],
)
def test_the_declared_type_of_a_setting_decides(default, given, value):
    parsed = parse_config([f"x={given}"], {"x": default})
    assert parsed == {"x": value}
    assert type(parsed["x"]) is type(value)


@pytest.mark.parametrize(
    ("default", "given"),
    [
        *[(True, "7"), (True, ""), (5, "warm"), (5, "true"), (0.5, "007")],
        *[([1], "5"), ([1], "{}"), ([1], "red"), ({"a": 1}, "[]"), ({}, "5")],
    ],
)
def test_a_value_of_another_type_says_which_is_wanted(default, given):
    with pytest.raises(UsageError, match=r"x is (a number|yes or no|a list|a table)"):
        parse_config([f"x={given}"], {"x": default})
