"""The mark of a function's settings, by which a record tells under which of them it was made."""

from device.protocol.settings import settings_mark


def test_the_mark_is_of_the_settings_in_any_order_and_stays_as_records_have_it():
    assert settings_mark({"a": 1, "b": [2]}) == settings_mark({"b": [2], "a": 1}) == "ae8a9a5052464275"
    assert settings_mark({"a": 2, "b": [2]}) != "ae8a9a5052464275"
