"""Which versions an OSV record affects."""

import pytest

from cloud_shim.cli.advisory import osv
from device.errors import UsageError
from device.protocol.errors import ProtocolError


def record(*events, versions=(), kind="ECOSYSTEM", name="Some_Package", ecosystem="PyPI", **more):
    ranges = [{"type": kind, "events": [dict([each]) for each in events]}] if events else []
    affected = {"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges, "versions": list(versions)}
    return {"id": "PYSEC-1", "summary": "It leaks", "affected": [affected], **more}


def affected(*events, **more):
    """Which of some versions are affected."""
    (package,) = osv.read(record(*events, **more)).packages
    assert package.name == "some-package"
    return [each for each in ("0.9", "1.0", "1.5rc1", "1.5", "2.0", "3.0") if package.includes(each)]


def test_from_the_first_version_to_the_fixed_one():
    assert affected(("introduced", "0"), ("fixed", "1.5")) == ["0.9", "1.0", "1.5rc1"]


def test_a_last_affected_version_is_affected():
    assert affected(("introduced", "1.0"), ("last_affected", "1.5")) == ["1.0", "1.5rc1", "1.5"]


def test_events_count_in_the_order_of_versions_and_may_open_again():
    events = [("fixed", "1.5"), ("introduced", "2.0"), ("introduced", "1.0")]
    assert affected(*events) == ["1.0", "1.5rc1", "2.0", "3.0"]


def test_versions_are_affected_beside_the_ranges_however_they_are_written():
    assert affected(("introduced", "3"), versions=("1.0.0", "2004d")) == ["1.0", "3.0"]


def test_neither_versions_nor_ranges_means_every_version():
    assert len(affected()) == 6


def test_ranges_of_commits_say_nothing_of_versions_that_are_listed():
    assert affected(("introduced", "0"), kind="GIT", versions=("1.0",)) == ["1.0"]


def test_a_version_that_cannot_be_compared_counts():
    (package,) = osv.read(record(("introduced", "0"), ("fixed", "1.5"))).packages
    assert package.includes("2004d")


def test_other_ecosystems_and_withdrawn_records_are_about_nothing():
    assert osv.read(record(("introduced", "0"), ecosystem="npm")).packages == ()
    read = osv.read(record(("introduced", "0"), withdrawn="2026-01-01T00:00:00Z"))
    assert (read.packages, read.notes) == ((), ("PYSEC-1 was withdrawn",))


def test_a_range_that_cannot_be_compared_is_an_error_and_not_left_out():
    with pytest.raises(UsageError, match="PEP 440"):
        osv.read(record(("introduced", "yesterday")))


@pytest.mark.parametrize(
    "changed",
    [
        {"id": 7},
        {"affected": {}},
        {"affected": [1]},
        {"affected": [{"package": {"ecosystem": "PyPI"}}]},
        {"summary": []},
    ],
    ids=str,
)
def test_another_form_is_told(changed):
    with pytest.raises(ProtocolError):
        osv.read({**record(), **changed})


@pytest.mark.parametrize("events", [None, [{}], [{"introduced": 1}], [{"removed": "1"}]], ids=str)
def test_another_form_of_events_is_told(events):
    broken = record()
    broken["affected"][0]["ranges"] = [{"type": "ECOSYSTEM", "events": events}]
    with pytest.raises(ProtocolError):
        osv.read(broken)
