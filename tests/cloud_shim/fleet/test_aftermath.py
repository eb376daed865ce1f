"""What a device is asked for after a failure. "a1" is release 1 of the function a; "m1" is one of a model."""

import pytest

from cloud_shim.fleet import aftermath, deployments
from cloud_shim.fleet.aftermath import Part
from cloud_shim.fleet.deployments import Trial
from device.protocol.deployment import ArtifactRef

A, B = Part("function", "a"), Part("function", "b")


def ref(name, version, kind="function"):
    return ArtifactRef(kind, name, version, f"{version}{ord(name[0])}".ljust(64, "0"), 100, "")


def then(before, *releases, settings=None, retry=False):
    """`before` with each of these on top, one deployment each: "a1" is release 1 of the function a, "m1" of a model."""
    for each in releases:
        kind = "agent" if each[0] == "l" else "model" if each[0] in "mn" else "function"
        name = "lamplight" if kind == "agent" else each[0]
        before = deployments.with_release(before, ref(name, int(each[1:]), kind), settings or {}, Trial(), retry)
    return before


@pytest.fixture
def empty():
    return deployments.empty("home", "pi")


def shown(deployment):
    parts = [*deployment.functions.values(), *deployment.models.values()]
    return sorted(f"{each.name}{each.version}" for each in parts)


def test_a_failed_change_is_taken_out(empty):
    base = then(empty, "a1", "b1")
    failed = then(base, "a2")
    found = aftermath.after(base, failed, failed, None, {})
    assert found.guilty == {A}
    assert shown(found.wanted) == ["a1", "b1"]
    assert found.wanted.generation == failed.generation + 1
    assert deployments.same_content(found.wanted, base)


def test_a_first_function_that_failed_leaves_nothing(empty):
    failed = then(empty, "a1")
    assert shown(aftermath.after(empty, failed, failed, None, {}).wanted) == []


def test_a_setting_that_failed_goes_back(empty):
    base = then(empty, "a1", settings={"threshold": 1})
    failed = then(base, "a1", settings={"threshold": 2})
    assert aftermath.after(base, failed, failed, A, {}).wanted.config == {"a": {"threshold": 1}}


def test_of_two_changes_only_the_blamed_one_is_taken_out(empty):
    base = then(empty, "a1")
    both = then(base, "a2", "b1")
    found = aftermath.after(base, both, both, A, {})
    assert found.guilty == {A}
    assert shown(found.wanted) == ["a1", "b1"]


def test_where_nobody_is_blamed_both_are_taken_out(empty):
    base = then(empty, "a1")
    both = then(base, "a2", "b1")
    assert aftermath.after(base, both, both, None, {}).guilty == {A, B}
    # A device may name anything.
    assert aftermath.after(base, both, both, Part("function", "c"), {}).guilty == {A, B}


def test_a_function_fails_with_its_model(empty):
    base = then(empty, "m1", "a1")
    both = then(base, "m2", "b1")
    found = aftermath.after(base, both, both, A, {"a": ["m"]})
    assert found.guilty == {Part("model", "m")}
    assert shown(found.wanted) == ["a1", "b1", "m1"]


def test_a_late_failure_is_taken_out_of_what_is_under_way(empty):
    base = then(empty, "a1")
    failed = then(base, "a2")
    present = then(failed, "b1")
    found = aftermath.after(base, failed, present, None, {})
    assert found.guilty == {A}
    assert (shown(found.wanted), found.wanted.generation) == (["a1", "b1"], present.generation + 1)


def test_a_late_failure_of_what_was_corrected_since_changes_nothing(empty):
    base = then(empty, "a1")
    failed = then(base, "a2")
    assert aftermath.after(base, failed, then(failed, "a3"), A, {}).wanted is None
    assert aftermath.after(base, failed, deployments.without(failed, "function", "a", Trial()), A, {}).wanted is None


def test_what_the_device_runs_already_is_not_taken_back_again(empty):
    base = then(empty, "a1")
    returned = deployments.again(base, 7)
    assert aftermath.after(base, returned, returned, A, {}).wanted is None


def test_whatever_a_device_blames_its_failures_end(empty):
    base = then(empty, "a1")
    present, failures = then(base, "a2", "b1", "c1", "m1"), 0
    while (wanted := aftermath.after(base, present, present, B if failures == 0 else A, {}).wanted) is not None:
        present, failures = wanted, failures + 1
    assert failures <= 4
    assert deployments.same_content(present, base)


def test_an_agent_that_proved_itself_stays(empty):
    base = then(empty, "a1")
    both = then(base, "l2", "a2")
    assert aftermath.after(base, both, both, None, {}).wanted.agent is None
    stays = aftermath.after(base, both, both, None, {}, proved=True)
    assert (stays.guilty, stays.wanted.agent.version) == ({A}, 2)
    assert aftermath.returned(base, both, proved=True).agent.version == 2


def test_what_is_left_of_a_retry_is_a_retry(empty):
    base = then(empty, "a1")
    both = then(base, "a2", "b1", retry=True)
    left = aftermath.after(base, both, both, A, {}).wanted
    assert left.attempt == left.generation
    assert aftermath.after(base, both, both, None, {}).wanted.attempt == 0
