"""Bills of materials and exposure over HTTP, from what was really released, deployed and reported."""

import json
import time

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from cloud_shim.cli.release import agent_release
from cloud_shim.tables import DeploymentRow, DeviceRow, LibrariesRow, RecordRow, ReportRow
from device.artifact import archive
from tests import samples

LAYER = """
[platform]
machine = "aarch64"
python = "3.11"
glibc = 36
[[packages]]
name = "leaf"
version = "{version}"
sha256 = "{digest}"
"""


def layer(folder, version):
    folder = folder / f"layer-{version}"
    info = folder / "site" / f"leaf-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Name: leaf\nVersion: {version}\nLicense-Expression: MIT\n")
    (folder / "layer.toml").write_text(LAYER.format(version=version, digest="a" * 64))
    return archive.pack(folder)


@pytest.fixture
def release(http):
    return lambda data: http.post("/api/releases", content=data).json()


@pytest.fixture
def deploy(http):
    def ask(release, needs=None):
        which = {key: release[key] for key in ("kind", "name", "version")}
        chosen = {"layer": {key: needs[key] for key in ("name", "version")}} if needs else {}
        answer = http.post("/api/devices/pi/deploy", json={**which, "config": None, "trial": None, **chosen})
        assert answer.status_code == 200, answer.text
        return answer.json()["generation"]

    return ask


@pytest.fixture
def report(shim):
    """What the device says, some time after it went offline; and the record of the generation's commit."""

    def say(generation, libraries=None):
        body = samples.report(generation=generation, agent="0.2.0", **({"libraries": libraries} if libraries else {}))
        kept = {"kind": "update", "generation": generation, "state": "COMMITTED"}
        with shim.database.write() as session:
            session.merge(ReportRow(device="pi", body=json.dumps(body), received=time.time()))
            session.get_one(DeploymentRow, ("pi", generation)).outcome = "COMMITTED"
            session.get_one(DeviceRow, "pi").online = False
            known = {name: {"version": version, "since": 5.0} for name, version in (libraries or {}).items()}
            session.merge(LibrariesRow(device="pi", body=json.dumps(known)))
            later = time.time() + 100
            session.add(
                RecordRow(
                    device="pi",
                    stream="events",
                    boot="1-9f3a61c2",
                    seq=generation,
                    time=later,
                    received=later + 50,
                    kind="update",
                    function="",
                    body=json.dumps(kept, separators=(",", ":")),
                )
            )
        return later

    return say


def document(http, path):
    answer = http.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/vnd.cyclonedx+json; version=1.6"
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(answer.text)
    assert problem is None, problem
    assert http.get(path).content == answer.content
    return answer.json()


def components(told):
    return {each["name"]: each for each in told["components"]}


def test_a_layer_lists_its_packages_with_digest_and_licence(http, release, tmp_path):
    made = release(layer(tmp_path, "1.0"))
    told = document(http, f"/api/releases/layer/{made['name']}/1/sbom")
    leaf = components(told)["leaf"]
    assert (leaf["purl"], leaf["hashes"][0]["content"]) == ("pkg:pypi/leaf@1.0", "a" * 64)
    assert leaf["licenses"] == [{"license": {"id": "MIT"}}]


def test_a_function_lists_the_layers_that_it_was_deployed_with(http, release, deploy, make_function, tmp_path):
    function = release(make_function())
    assert document(http, "/api/releases/function/night-light/1/sbom").get("components", []) == []
    deploy(function, release(layer(tmp_path, "1.0")))
    assert set(components(document(http, "/api/releases/function/night-light/1/sbom"))) == {"aarch64-py311", "leaf"}


def test_the_agent_lists_what_it_asks_for(http, release):
    data, manifest = agent_release.pack(agent_release.here())
    release(data)
    told = document(http, "/api/releases/agent/lamplight/1/sbom")
    assert told["metadata"]["component"]["version"] == manifest.version
    assert components(told)["tuf"]["properties"] == [{"name": "lamplight:requires", "value": ">=6"}]


def test_a_device_lists_what_it_runs(http, release, deploy, report, make_function, make_model, tmp_path):
    assert set(components(document(http, "/api/devices/pi/sbom"))) == {"lamplight"}
    deploy(release(make_model()))
    generation = deploy(release(make_function()), release(layer(tmp_path, "1.0")))
    report(generation, {"tuf": "6.0", "cronsim": "2.6"})
    deploy(release(make_function(code="# not yet")))
    told = document(http, "/api/devices/pi/sbom")
    assert told["metadata"]["component"]["version"] == str(generation)
    named = components(told)
    assert set(named) == {"lamplight", "tuf", "cronsim", "night-light", "presence", "aarch64-py311", "leaf"}
    assert (named["night-light"]["version"], named["tuf"]["purl"]) == ("1", "pkg:pypi/tuf@6.0")


@pytest.mark.parametrize(
    "path",
    ["/api/releases/function/nothing/1/sbom", "/api/releases/no-kind/x/1/sbom", "/api/devices/nobody/sbom"],
)
def test_what_there_is_not_is_not_found(http, path):
    assert http.get(path).status_code == 404


@pytest.mark.parametrize("query", ["", "?package=", f"?package={'x' * 300}"])
def test_exposure_needs_a_package(http, query):
    assert http.get(f"/api/exposure{query}").status_code == 400


def test_exposure_of_a_device_that_is_offline(http, release, deploy, report, make_function, tmp_path):
    function = release(make_function())
    generation = deploy(function, release(layer(tmp_path, "1.0")))
    kept = report(generation, {"tuf": "6.0"})
    asked = deploy(function, release(layer(tmp_path, "2.0")))
    told = http.get("/api/exposure?package=LEAF").json()
    about = {"package": "leaf", "requires": "", "functions": ["night-light"], "agent": ""}
    device = {"device": "pi", "online": False, "last_seen": None, "revoked": False}
    first = {**device, **about, "version": "1.0", "state": "running", "generation": generation, "since": kept}
    second = {**device, **about, "version": "2.0", "state": "asked", "generation": asked, "since": None}
    assert told == {"package": "leaf", "uses": [first, second], "unknown": []}
    (agents,) = http.get("/api/exposure?package=tuf").json()["uses"]
    assert (agents["version"], agents["agent"], agents["since"]) == ("6.0", "0.2.0", 5.0)
    assert http.get("/api/exposure?package=nothing").json()["uses"] == []


def test_a_device_that_does_not_tell_its_agents_libraries_is_named(http):
    assert http.get("/api/exposure?package=leaf").json() == {"package": "leaf", "uses": [], "unknown": ["pi"]}
