"""What is planned for a believed deployment."""

from dataclasses import replace

import pytest

from device.protocol.deployment import ArtifactRef, Deployment
from device.update import reconcile, slots
from device.update.reconcile import Install, Nothing, Reject
from device.update.slots import Slots


def ref(version):
    return ArtifactRef("function", "lamp", version, f"{version:064x}", 1000, "")


def deployment(generation, version):
    return Deployment("home", "desk-pi", generation, {"lamp": ref(version)}, {}, {}, 5.0, 3)


@pytest.fixture
def installed():
    """Generation 5 with lamp v1 is active, generation 6 with lamp v2 failed."""
    state = slots.commit(slots.begin_trial(slots.believe(Slots(), 6), deployment(5, 1)))
    return slots.revert(slots.begin_trial(state, deployment(6, 2)), "boom")


def missing(plan):
    assert isinstance(plan, Install)
    return [each.version for each in plan.missing]


def test_what_is_not_on_disk_is_fetched(installed):
    assert missing(reconcile.plan(installed, deployment(7, 3), set())) == [3]
    assert missing(reconcile.plan(installed, deployment(7, 3), {ref(3).digest})) == []
    assert missing(reconcile.plan(Slots(), deployment(1, 1), set())) == [1]


def test_what_is_installed_needs_nothing(installed):
    state = slots.believe(Slots(active=installed.active), 5)
    assert reconcile.plan(state, deployment(5, 1), {ref(1).digest}) == Nothing()


def test_what_is_installed_and_damaged_is_brought_again(installed):
    state = slots.believe(Slots(active=installed.active), 5)
    assert missing(reconcile.plan(state, deployment(5, 1), set())) == [1]
    on_trial = slots.begin_trial(state, deployment(6, 2))
    assert reconcile.plan(on_trial, deployment(6, 2), set()) == Nothing()


def test_what_is_in_trial_needs_nothing(installed):
    state = slots.begin_trial(installed, deployment(7, 3))
    assert reconcile.plan(state, deployment(7, 3), set()) == Nothing()


def test_what_failed_needs_nothing_when_it_is_said_again(installed):
    assert reconcile.plan(installed, deployment(6, 2), set()) == Nothing()


def test_the_same_content_as_failed_is_refused_under_a_new_number(installed):
    plan = reconcile.plan(installed, deployment(7, 2), set())
    assert plan.reason.startswith("the same content failed as generation 6: boom")
    assert "--retry" in plan.reason


def test_content_that_the_board_was_too_busy_for_is_tried_when_it_is_asked_for_anew(installed):
    excused = replace(installed, excused=frozenset(installed.failed))
    assert missing(reconcile.plan(excused, deployment(7, 2), set())) == [2]
    assert reconcile.plan(excused, deployment(6, 2), set()) == Nothing()


def test_failed_content_is_tried_again_for_a_higher_attempt_and_only_for_that(installed):
    again = deployment(7, 2)
    again.attempt = 7
    assert isinstance(reconcile.plan(installed, again, set()), Install)
    failed = {key: each._replace(attempt=7) for key, each in installed.failed.items()}
    assert isinstance(reconcile.plan(replace(installed, failed=failed), again, set()), Reject)


def test_a_generation_does_not_change_its_content(installed):
    state = slots.begin_trial(installed, deployment(7, 3))
    for generation in (5, 7):
        assert "other content" in reconcile.plan(state, deployment(generation, 4), set()).reason


def test_an_older_generation_is_refused(installed):
    assert "older than generation 6" in reconcile.plan(installed, deployment(4, 9), set()).reason


def test_a_newer_one_replaces_the_one_in_trial(installed):
    state = slots.begin_trial(installed, deployment(7, 3))
    assert missing(reconcile.plan(state, deployment(8, 4), set())) == [4]


def test_going_back_to_the_active_content_is_installed_like_any_other(installed):
    assert missing(reconcile.plan(installed, deployment(7, 1), {ref(1).digest})) == []
