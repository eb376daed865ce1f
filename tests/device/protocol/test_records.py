"""What a record may say, and what is refused before a person sees it."""

import pytest

from device.protocol import records
from device.protocol.errors import ProtocolError
from tests import samples

KINDS = {each["kind"]: each for each in samples.records()}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_passes_also_with_fields_that_are_not_known(kind):
    records.check({**KINDS[kind], "tomorrow": [1]})


def test_a_kind_that_is_not_known_passes_with_what_every_record_has():
    records.check({"seq": 1, "time": 0, "kind": "tomorrow"})
    with pytest.raises(ProtocolError):
        records.check({"seq": 1, "kind": "tomorrow"})


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("reading", {"lux": "bright"}),
        ("reading", {"lux": 10**400}),
        ("reading", {"saturated": None}),
        ("decision", {"pins": {"led": "on"}}),
        ("decision", {"pins": None}),
        ("decision", {"given": {"source": "x", "time": 1e300}}),
        ("decision", {"ms": None}),
        ("failure", {"given": 7}),
        ("log", {"level": 3}),
        ("log", {"version": None}),
        ("log", {"time": 1e300}),
        ("log", {"time": -1}),
        ("update", {"generation": "8"}),
        ("update", {"evidence": []}),
        ("worker", {"detail": {}}),
        ("sensor", {"ok": "no"}),
        ("dropped", {"count": -1}),
        ("publish", {"topic": 7}),
        ("output", {"pin": None}),
        ("output", {"level": "on"}),
        ("output", {"level": 1}),
        ("output", {"before": "off"}),
        ("output", {"changes": -1}),
    ],
    ids=str,
)
def test_another_shape_is_refused(kind, changed):
    with pytest.raises(ProtocolError, match=r"^record"):
        records.check({**KINDS[kind], **changed})


def test_what_was_published_is_anything_but_not_nothing():
    published = KINDS["publish"]
    records.check({**published, "data": None})
    with pytest.raises(ProtocolError, match="data"):
        records.check({key: value for key, value in published.items() if key != "data"})


@pytest.mark.parametrize("time", [0, 253_402_300_799])
def test_a_record_is_of_a_moment_with_a_year_of_four_digits(time):
    records.check({**KINDS["log"], "time": time})
    records.check({**KINDS["failure"], "given": {"source": "x", "time": time}})
    for wrong in (-0.001, 253_402_300_799.5):
        with pytest.raises(ProtocolError, match=r"^record\.time: is no date"):
            records.check({**KINDS["log"], "time": wrong})
        with pytest.raises(ProtocolError, match=r"^record\.given\.time: is no date"):
            records.check({**KINDS["failure"], "given": {"source": "x", "time": wrong}})


@pytest.mark.parametrize("lux", [-1e9, 1e9])
def test_a_light_is_a_number_to_be_drawn(lux):
    records.check({**KINDS["reading"], "lux": lux})
    for kind in ("reading", "decision"):
        with pytest.raises(ProtocolError, match=r"^record\.lux: is no light"):
            records.check({**KINDS[kind], "lux": lux + (1 if lux > 0 else -1)})


def test_a_decision_without_a_sensor_has_no_light():
    records.check({key: value for key, value in KINDS["decision"].items() if key != "lux"})


def test_what_a_decision_was_given_says_its_settings_or_none():
    given = {"source": "x", "time": 1}
    records.check({**KINDS["decision"], "given": given})
    records.check({**KINDS["decision"], "given": {**given, "settings": "abc"}})
    for wrong in ({**given, "settings": 5}, {"time": 1}, {"source": "x"}):
        with pytest.raises(ProtocolError, match=r"^record\.given"):
            records.check({**KINDS["decision"], "given": wrong})


def test_counts_go_as_far_as_every_reader_of_json_does():
    records.check({**KINDS["dropped"], "count": 2**53})
    with pytest.raises(ProtocolError, match=r"^record\.count"):
        records.check({**KINDS["dropped"], "count": 2**53 + 1})


def test_an_output_says_both_levels_and_null_where_one_is_unknown():
    records.check({**KINDS["output"], "level": None, "before": None})
    for key in ("level", "before"):
        with pytest.raises(ProtocolError, match=rf"^record\.{key}"):
            records.check({name: value for name, value in KINDS["output"].items() if name != key})


def test_an_update_may_come_without_evidence():
    records.check({key: value for key, value in KINDS["update"].items() if key != "evidence"})
