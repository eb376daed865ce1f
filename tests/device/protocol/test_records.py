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
