"""The list of withdrawn releases: which releases it names, and what is no list."""

import pytest

from device.protocol import withdrawn
from device.protocol.deployment import MAX_GENERATION, ArtifactRef
from device.protocol.errors import ProtocolError
from device.protocol.withdrawn import MAX_BECAUSE, MAX_WITHDRAWALS

ENTRY = {"kind": "function", "name": "lamp", "version": 3, "because": "it leaks", "at": 1000}


def listed(*changes):
    return withdrawn.parse([{**ENTRY, **each} for each in changes])


def release(kind="function", name="lamp", version=3):
    return ArtifactRef(kind, name, version, "a" * 64, 10, "")


def test_a_list_is_read_and_written_as_it_was():
    entry = {**ENTRY, "older": True, "lets_run": True}
    assert [each.to_json() for each in withdrawn.parse([entry])] == [entry]


def test_one_release_is_withdrawn_and_must_stop_unless_the_entry_says_more():
    assert listed({})[0].to_json() == {**ENTRY, "older": False, "lets_run": False}


@pytest.mark.parametrize(
    ("kind", "name", "version", "alone", "with_older"),
    [
        ("function", "lamp", 3, True, True),
        ("function", "lamp", 2, False, True),
        ("function", "lamp", 4, False, False),
        ("function", "other", 3, False, False),
        ("model", "lamp", 3, False, False),
    ],
)
def test_an_entry_covers_its_release_and_with_older_those_before_it(kind, name, version, alone, with_older):
    assert listed({})[0].covers(kind, name, version) == alone
    assert listed({"older": True})[0].covers(kind, name, version) == with_older


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_withdrawals_of_a_release_the_strictest_counts(order):
    entries = [{"because": "lenient", "lets_run": True}, {"because": "strict"}, {"name": "other"}][::order]
    found = withdrawn.of(listed(*entries), release())
    assert found and found.because == "strict"


def test_a_lenient_withdrawal_counts_where_it_is_alone():
    found = withdrawn.of(listed({"lets_run": True}, {"name": "other"}), release())
    assert found and found.lets_run


@pytest.mark.parametrize("other", [release("model"), release(name="other"), release(version=4)])
def test_another_release_is_not_withdrawn(other):
    assert withdrawn.of(listed({}), other) is None


@pytest.mark.parametrize("kind", ["function", "model", "layer", "agent"])
def test_releases_of_every_kind_can_be_withdrawn(kind):
    found = withdrawn.of(listed({"kind": kind}), release(kind))
    assert found and found.kind == kind


def test_fields_of_a_later_version_pass():
    assert listed({"later": ["more"]})[0].to_json() == listed({})[0].to_json()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kind", "secret"),
        ("kind", None),
        ("name", "../lamp"),
        ("name", None),
        ("version", 0),
        ("version", MAX_GENERATION + 1),
        ("version", None),
        ("older", "yes"),
        ("because", 7),
        ("because", "x" * (MAX_BECAUSE + 1)),
        ("at", -1),
        ("at", MAX_GENERATION + 1),
        ("at", "now"),
        ("lets_run", 1),
    ],
)
def test_a_wrong_field_is_named_with_the_number_of_its_entry(key, value):
    with pytest.raises(ProtocolError, match=rf"^withdrawn\.1\.{key}:"):
        listed({}, {key: value})


@pytest.mark.parametrize("fields", [{"version": 1, "at": 0}, {"version": MAX_GENERATION, "at": MAX_GENERATION}])
def test_the_least_and_the_highest_number_pass(fields):
    assert {key: listed(fields)[0].to_json()[key] for key in fields} == fields


@pytest.mark.parametrize("code", [0x00, 0x0A, 0x1B, 0x1F, 0x7F, 0x80, 0x9B, 0x9F])
def test_a_reason_with_a_control_character_is_refused(code):
    with pytest.raises(ProtocolError, match="control character"):
        listed({"because": f"a{chr(code)}b"})


@pytest.mark.parametrize("because", ["", "x" * MAX_BECAUSE, " ~", "\xa0é光"])
def test_a_reason_is_any_text_of_one_line(because):
    assert listed({"because": because})[0].because == because


@pytest.mark.parametrize("value", [None, {}, "withdrawn", [5], [["lamp"]], [{**ENTRY, "later": float("inf")}]])
def test_another_shape_is_refused(value):
    with pytest.raises(ProtocolError, match=r"^withdrawn"):
        withdrawn.parse(value)


def test_a_list_is_bounded_for_every_board_keeps_it():
    assert len(withdrawn.parse([ENTRY] * MAX_WITHDRAWALS)) == MAX_WITHDRAWALS
    with pytest.raises(ProtocolError, match="at most 500"):
        withdrawn.parse([ENTRY] * (MAX_WITHDRAWALS + 1))
