"""A bill of materials keeps to CycloneDX 1.6, says what is in it, and is the same each time."""

import json
from dataclasses import replace

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given
from hypothesis import strategies as st

from cloud_shim.releases import sbom
from cloud_shim.releases.inventory import Package
from cloud_shim.releases.sbom import Part

LEAF = Package("leaf", "1.0", sha256="a" * 64, licence="MIT")
OTHER_WHEEL = Package("leaf", "1.0", sha256="b" * 64)
RANGE = Package("tuf", requires=">=6")
LAYER = Part("layer", "aarch64-py311", "2", "c" * 64, (LEAF,))
LAMP = Part(
    "function", "lamp", "3", "d" * 64, (), (LAYER, Part("layer", "x86-64-py311", "1", "e" * 64, (OTHER_WHEEL,)))
)


def valid(text):
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert problem is None, problem
    return json.loads(text)


def test_a_function_has_its_layers_and_each_has_its_packages():
    told = valid(sbom.document(LAMP, 1e9))
    assert told["metadata"]["component"]["bom-ref"] == "function/lamp@3"
    assert told["metadata"]["timestamp"] == "2001-09-09T01:46:40+00:00"
    needs = {each["ref"]: each.get("dependsOn", []) for each in told["dependencies"]}
    assert needs["function/lamp@3"] == ["layer/aarch64-py311@2", "layer/x86-64-py311@1"]
    leaf = next(each for each in told["components"] if each["bom-ref"] == needs["layer/aarch64-py311@2"][0])
    assert (leaf["purl"], leaf["hashes"]) == ("pkg:pypi/leaf@1.0", [{"alg": "SHA-256", "content": "a" * 64}])
    assert leaf["licenses"] == [{"license": {"id": "MIT"}}]
    assert needs["layer/x86-64-py311@1"] != needs["layer/aarch64-py311@2"]


def test_a_range_is_a_component_without_a_version():
    (tuf,) = valid(sbom.document(Part("agent", "lamplight", "0.2.0", "f" * 64, (RANGE,)), 1e9))["components"]
    assert (tuf["purl"], tuf.get("version"), tuf["properties"][0]["value"]) == ("pkg:pypi/tuf", None, ">=6")


def test_the_same_parts_give_the_same_bytes_and_others_another_serial_number():
    assert sbom.document(LAMP, 1e9) == sbom.document(LAMP, 1e9 + 0.4)
    first, second = (json.loads(sbom.document(each, 1e9))["serialNumber"] for each in (LAMP, LAYER))
    assert first != second


@pytest.mark.parametrize(
    "licence", ["MIT", "MIT OR Apache-2.0", "BSD License, MIT License", "(", "LicenseRef-x", "\x7f"]
)
def test_any_licence_is_valid(licence):
    valid(sbom.document(Part("layer", "x", "1", "a" * 64, (Package("leaf", "1.0", licence=licence),)), 1e9))


@given(st.text(min_size=1, max_size=20).filter(lambda text: not text.isspace()))
def test_any_licence_of_strangers_gives_a_document(licence):
    sbom.document(Part("layer", "x", "1", "a" * 64, (Package("leaf", "1.0", licence=licence),)), 1e9)


def test_a_wheels_origin_is_told_and_the_same_wheel_from_a_mirror_is_another_component():
    here, there = (replace(LEAF, origin=f"https://{host}.example/leaf-1.0-py3-none-any.whl") for host in ("one", "two"))
    told = valid(sbom.document(Part("layer", "x", "1", "a" * 64, (here, there)), 1e9))
    found = [each["externalReferences"] for each in told["components"]]
    assert found == [[{"type": "distribution", "url": each.origin}] for each in (here, there)]
