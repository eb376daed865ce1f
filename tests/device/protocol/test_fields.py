"""Checked access to the fields of a table: the bounds, and the words for a value of another kind."""

import pytest

from device.protocol import fields
from device.protocol.errors import ProtocolError
from device.protocol.fields import MAX_DEPTH, NAME_LENGTH


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "nothing"),
        (True, "a boolean"),
        ("x", "a string"),
        (1, "a number"),
        (1.5, "a number"),
        ([], "a list"),
    ],
)
def test_a_value_of_another_kind_is_called_by_its_own(value, kind):
    with pytest.raises(ProtocolError, match=f"^here: expected a table, found {kind}$"):
        fields.table(value, "here")


def test_a_table_in_the_place_of_another_value_is_called_a_table():
    with pytest.raises(ProtocolError, match=r"^here: expected a list, found a table$"):
        fields.items({}, "here")
    with pytest.raises(ProtocolError, match=r"^here\.key: expected a string, found a table$"):
        fields.text({"key": {}}, "key", "here")


def test_a_key_that_is_no_text_is_refused():
    with pytest.raises(ProtocolError, match=r"^here: keys must be strings$"):
        fields.table({1: 2}, "here")


def test_an_unknown_key_is_told_with_the_known_ones():
    with pytest.raises(ProtocolError, match=r"^here: unknown key 'c'; known are a, b$") as refused:
        fields.only({"a": 1, "c": 2}, ("b", "a"), "here")
    # For a hint on the line of a file.
    assert (refused.value.where, refused.value.key, refused.value.known) == ("here", "c", ("b", "a"))
    with pytest.raises(ProtocolError, match=r"known are none$"):
        fields.only({"a": 1}, (), "here")


def test_a_default_stands_in_for_a_missing_field_only():
    assert fields.text({}, "key", "here", "x") == "x"
    assert fields.number({}, "key", "here", 2.5) == 2.5
    assert fields.integer({}, "key", "here", 0, 9, 3) == 3
    assert fields.flag({}, "key", "here", True) is True
    for read in (
        lambda: fields.text({"key": None}, "key", "here", "x"),
        lambda: fields.number({"key": None}, "key", "here", 2.5),
        lambda: fields.integer({"key": None}, "key", "here", 0, 9, 3),
        lambda: fields.flag({"key": None}, "key", "here", True),
        lambda: fields.flag({}, "key", "here"),
    ):
        with pytest.raises(ProtocolError, match=r"^here\.key: expected .*, found nothing$"):
            read()


@pytest.mark.parametrize("value", [True, "1", [1]])
def test_a_number_is_neither_a_boolean_nor_a_text(value):
    for read in (fields.number, lambda *rest: fields.integer(*rest, 0, 9)):
        with pytest.raises(ProtocolError, match=r"^here\.key: expected a .*number"):
            read({"key": value}, "key", "here")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_is_finite(value):
    with pytest.raises(ProtocolError, match=r"^here\.key: must be finite$"):
        fields.number({"key": value}, "key", "here")


def test_the_bounds_of_a_whole_number_are_its_own():
    assert [fields.integer({"key": each}, "key", "here", 2, 5) for each in (2, 5)] == [2, 5]
    for each in (1, 6):
        with pytest.raises(ProtocolError, match=rf"^here\.key: {each} is not between 2 and 5$"):
            fields.integer({"key": each}, "key", "here", 2, 5)


@pytest.mark.parametrize("value", ["a", "0", "a-", "z9-", "a" * NAME_LENGTH])
def test_a_name_is_taken(value):
    assert fields.name(value, "here") == value


@pytest.mark.parametrize("value", ["", "-", "-a", "a" * (NAME_LENGTH + 1), "A", "a_b", "a.b", "é", 7, None])
def test_any_other_name_is_refused(value):
    with pytest.raises(ProtocolError, match=r"^here: .* is not a name"):
        fields.name(value, "here")


@pytest.mark.parametrize("value", ["0" * 63, "0" * 65, "g" * 64, "A" * 64, None, b"0" * 64])
def test_a_digest_is_64_hexadecimal_digits_in_lower_case(value):
    assert fields.sha256("0123456789abcdef" * 4, "here") == "0123456789abcdef" * 4
    with pytest.raises(ProtocolError, match=r"^here: expected a sha256"):
        fields.sha256(value, "here")


def nested(depth, leaf=0):
    for _ in range(depth):
        leaf = [leaf]
    return leaf


def test_so_many_levels_are_plain_and_no_more():
    fields.plain(nested(MAX_DEPTH), "here")
    fields.plain({"a": nested(MAX_DEPTH - 1)}, "here")
    for deeper in (nested(MAX_DEPTH + 1), {"a": nested(MAX_DEPTH)}):
        with pytest.raises(ProtocolError, match=r"^here: is nested more than 32 levels deep$"):
            fields.plain(deeper, "here")


@pytest.mark.parametrize("value", [None, True, 10**400, 1.5, "é", [], {}, [{"a": [None, "b"]}]])
def test_what_json_has_is_plain(value):
    fields.plain(value, "here")


@pytest.mark.parametrize("value", ["\ud800", {"\ud800": 1}, float("nan"), [float("inf")], b"", {"a": {1, 2}}])
def test_anything_else_is_refused_where_it_stands(value):
    with pytest.raises(ProtocolError, match=r"^here"):
        fields.plain(value, "here")
