"""What --set takes."""

import pytest

from cloud_shim.cli.options import parse_config


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
    parsed = parse_config([pair])
    assert parsed == {"x": value}
    assert type(parsed["x"]) is type(value)


def test_no_settings_at_all_keep_the_previous_ones():
    assert parse_config([]) is None
