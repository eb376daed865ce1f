"""Which versions a CVE record of version 5 affects."""

import pytest

from cloud_shim.cli.advisory import cve
from device.errors import UsageError
from device.protocol.errors import ProtocolError


def record(*versions, default="unaffected", **product):
    about = product or {"vendor": "psf", "product": "requests", "collectionURL": "https://pypi.org/project/requests"}
    listed = {"versions": list(versions)} if versions else {}
    affected = [{**about, "defaultStatus": default, **listed}]
    return {"cveMetadata": {"cveId": "CVE-1"}, "containers": {"cna": {"title": "It leaks", "affected": affected}}}


def entry(version, status="affected", **more):
    return {"version": version, "status": status, **more}


def affected(*versions, **more):
    """Which of some versions are affected."""
    (package,) = cve.read(record(*versions, **more)).packages
    return [each for each in ("0.9", "1.0", "1.5", "2.0", "3.0") if package.includes(each)]


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ([entry("1.5")], ["1.5"]),
        ([entry("0", lessThan="1.5")], ["0.9", "1.0"]),
        ([entry("unspecified", lessThanOrEqual="1.5")], ["0.9", "1.0", "1.5"]),
        ([entry("1.5", lessThan="*")], ["1.5", "2.0", "3.0"]),
        ([entry("< 1.5")], ["0.9", "1.0"]),
        ([entry(">= 1.0, < 2.0"), entry("= 3.0")], ["1.0", "1.5", "3.0"]),
        ([entry("<= 1.0")], ["0.9", "1.0"]),
        ([entry("1.0", lessThan="3.0", changes=[{"at": "2.0", "status": "unaffected"}])], ["1.0", "1.5"]),
        (
            [
                entry(
                    "1.0",
                    lessThan="*",
                    changes=[{"at": "1.5", "status": "unaffected"}, {"at": "3", "status": "affected"}],
                )
            ],
            ["1.0", "3.0"],
        ),
        ([entry("*")], ["0.9", "1.0", "1.5", "2.0", "3.0"]),
    ],
    ids=str,
)
def test_the_forms_of_a_range(versions, expected):
    assert affected(*versions) == expected


def test_what_is_not_listed_has_the_default():
    assert affected(entry("2.0", "unaffected", lessThan="*"), default="affected") == ["0.9", "1.0", "1.5"]
    assert affected(default="unaffected") == ["0.9", "1.0", "1.5", "2.0", "3.0"]


@pytest.mark.parametrize(
    ("product", "name", "noted"),
    [
        ({"product": "Requests"}, "requests", True),
        ({"product": "x", "packageName": "My_Package"}, "my-package", True),
        ({"packageURL": "pkg:pypi/My.Package@1.0?x=y"}, "my-package", False),
    ],
    ids=str,
)
def test_a_product_is_a_package_and_one_that_does_not_say_so_is_noted(product, name, noted):
    read = cve.read(record(entry("1.5"), **product))
    assert [each.name for each in read.packages] == [name]
    assert bool(read.notes) is noted


@pytest.mark.parametrize(
    "product", [{"product": "x", "collectionURL": "https://registry.npmjs.org"}, {"packageURL": "pkg:npm/x"}], ids=str
)
def test_other_collections_products_are_left_out(product):
    assert cve.read(record(entry("1.5"), **product)).packages == ()


def test_what_another_party_adds_counts_too():
    both = record(entry("1.5"))
    both["containers"]["adp"] = [{"affected": [{"packageURL": "pkg:pypi/urllib3"}]}]
    assert [each.name for each in cve.read(both).packages] == ["requests", "urllib3"]


def test_a_rejected_record_is_about_nothing():
    rejected = {"cveMetadata": {"cveId": "CVE-1"}, "containers": {"cna": {"rejectedReasons": [{"value": "no"}]}}}
    read = cve.read(rejected)
    assert (read.packages, read.notes) == ((), ("CVE-1 was rejected",))


@pytest.mark.parametrize("version", ["all of them", "< one", "1.x"])
def test_a_range_that_cannot_be_compared_is_an_error_and_not_left_out(version):
    with pytest.raises(UsageError, match="PEP 440"):
        cve.read(record(entry(version)))


@pytest.mark.parametrize("broken", [{}, {"cveMetadata": {}}, {"cveMetadata": {"cveId": "CVE-1"}, "containers": []}])
def test_another_form_is_told(broken):
    with pytest.raises(ProtocolError):
        cve.read(broken)


@pytest.mark.parametrize("versions", [{}, [1], [{"version": "1"}], [{"status": "affected"}]], ids=str)
def test_another_form_of_versions_is_told(versions):
    broken = record()
    broken["containers"]["cna"]["affected"][0]["versions"] = versions
    with pytest.raises(ProtocolError):
        cve.read(broken)
