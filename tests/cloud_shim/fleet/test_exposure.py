"""Which functions of a device use a package, and since when, from what it was given and what it kept."""

from dataclasses import asdict

import pytest

from cloud_shim.fleet import exposure
from cloud_shim.fleet.running import Generation, Running
from cloud_shim.releases.inventory import Package
from device.protocol.deployment import ArtifactRef, Deployment

OLD, NEW = Package("leaf", "1.0"), Package("leaf", "2.0")


def layer(*packages):
    return ArtifactRef("layer", "x", 1, str(packages), 1, ""), packages


KNOWN = {ref.digest: tuple(packages) for ref, packages in (layer(OLD), layer(NEW), layer(OLD, Package("other", "1")))}
KNOWN["agent"] = (Package("leaf", requires=">=1"),)


def generation(number, outcome="COMMITTED", agent=None, **layers):
    """One with these functions, each with a layer of these packages."""
    refs = {name.replace("_", "-"): layer(*packages)[0] for name, packages in layers.items()}
    functions = {name: ArtifactRef("function", name, 1, "f", 1, "") for name in refs}
    deployment = Deployment("home", "pi", number, functions, {}, {}, 0, 0, agent=agent, layers=refs)
    return Generation(number, float(number), outcome, deployment)


def uses(*known, running=None, libraries=None):
    known = sorted(known, key=lambda each: -each.number)
    number = known[0].number if running is None else running
    found = next((each.deployment for each in known if each.number == number), None)
    now = Running(number, 0.0, found, "0.2.0", libraries or {})
    told = exposure.uses("leaf", now, known, lambda ref: KNOWN.get(ref.digest, ()), lambda g: g.created)
    return [(e["version"], e["functions"], e["state"], e["since"]) for e in map(asdict, told)]


def test_functions_that_share_a_version_are_one_use():
    assert uses(generation(1, lamp=[OLD], lantern=[OLD])) == [("1.0", ("lamp", "lantern"), "running", 1.0)]


def test_functions_may_have_different_versions():
    found = uses(generation(1, lamp=[OLD], lantern=[NEW]))
    assert [(version, functions) for version, functions, *_ in found] == [("1.0", ("lamp",)), ("2.0", ("lantern",))]


def test_since_is_the_first_deployment_without_a_break_whichever_layer_brought_it():
    other = Package("other", "1")
    known = [generation(1, lamp=[OLD]), generation(2, lamp=[NEW]), generation(3, lantern=[OLD, other])]
    assert uses(*known, generation(4, lantern=[OLD]))[0][3] == 3.0


def test_a_deployment_that_was_reverted_is_no_break_and_no_beginning():
    known = [generation(1, lamp=[OLD]), generation(2, "REVERTED", lamp=[NEW]), generation(3, lamp=[OLD])]
    assert uses(*known) == [("1.0", ("lamp",), "running", 1.0)]
    assert uses(*known[:2], running=1) == [("1.0", ("lamp",), "running", 1.0)]


def test_what_a_device_is_still_to_get_is_asked_for():
    known = [generation(1, lamp=[OLD]), generation(2, "", lamp=[NEW])]
    assert uses(*known, running=1) == [("1.0", ("lamp",), "running", 1.0), ("2.0", ("lamp",), "asked", None)]
    assert uses(generation(1, "", lamp=[OLD]), running=0) == [("1.0", ("lamp",), "asked", None)]


def test_what_went_is_no_exposure():
    assert uses(generation(1, lamp=[OLD]), generation(2, lamp=[])) == []
    assert uses(generation(1, "REJECTED", lamp=[OLD]), running=0) == []


def test_the_agents_libraries_are_what_the_device_reports():
    reported = {"leaf": {"version": "1.5", "since": 7.0}}
    assert uses(generation(1), libraries=reported) == [("1.5", (), "running", 7.0)]
    assert uses(generation(1), libraries={"else": {"version": "1", "since": 7.0}}) == []


def test_an_agent_that_does_not_report_them_is_known_by_what_it_asks_for():
    agent = ArtifactRef("agent", "lamplight", 1, "agent", 1, "")
    assert uses(generation(1, agent=agent)) == [("", (), "running", None)]
    assert uses(generation(1)) == []


@pytest.mark.parametrize("nothing", [{}, {"running": 9}])
def test_a_device_that_was_given_nothing_runs_nothing(nothing):
    now = Running(nothing.get("running", 0), 0.0, None, "", {})
    assert list(exposure.uses("leaf", now, [], lambda ref: (), lambda g: 0.0)) == []
