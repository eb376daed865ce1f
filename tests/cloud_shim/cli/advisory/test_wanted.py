"""What is asked for: a package with or without versions, or a file."""

import json

import pytest

from cloud_shim.cli.advisory import wanted
from device.errors import NotFoundError, UsageError


@pytest.mark.parametrize(
    ("asked", "version", "included"),
    [
        ("requests", "2.31.0", True),
        ("Requests==2.31", "2.31.0", True),
        ("requests==2.31.0", "2.32.0", False),
        ("requests<3,>=2.32", "2.32.1rc1", True),
        ("requests", "2.32.1rc1", True),
    ],
)
def test_a_package(asked, version, included):
    (package,) = wanted.read(asked).packages
    assert (package.name, package.includes(version)) == ("requests", included)


@pytest.mark.parametrize(
    "asked", ["", "two words", "requests==", "requests[socks]", "x @ mailto:a", "x; python_version>'3'"]
)
def test_what_is_no_package_is_told(asked):
    with pytest.raises(UsageError):
        wanted.read(asked)


def test_a_file_is_read_by_what_is_in_it(tmp_path):
    osv, cve = tmp_path / "osv.json", tmp_path / "cve.json"
    osv.write_bytes(b"\xef\xbb\xbf" + json.dumps({"id": "GHSA-1", "affected": []}).encode())
    cve.write_text(json.dumps({"cveMetadata": {"cveId": "CVE-1"}, "containers": {"cna": {}}}))
    assert (wanted.read(str(osv)).id, wanted.read(str(cve)).id) == ("GHSA-1", "CVE-1")


@pytest.mark.parametrize("text", ["", "[]", "{}", "{", '{"id": 1, "affected": []}', "[" * 100_000, '"\ud800"'])
def test_what_is_no_advisory_is_told(tmp_path, text):
    file = tmp_path / "x.json"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(UsageError):
        wanted.read(str(file))


def test_a_file_that_is_not_there_is_told(tmp_path):
    for path in (tmp_path / "x.json", tmp_path / "x.json" / "y.json"):
        with pytest.raises(NotFoundError):
            wanted.read(str(path))
    with pytest.raises(UsageError):
        wanted.read(f"{tmp_path}/")
