"""What the list of withdrawn releases means for a deployment: which part is refused, and which may stay."""

import pytest

from device.protocol.deployment import ArtifactRef, Deployment
from device.protocol.withdrawn import Withdrawal
from device.update import withdrawals
from device.update.withdrawals import WithdrawnError


def ref(version, kind="function", name="lamp"):
    return ArtifactRef(kind, name, version, f"{version:064x}", 1000, "")


AGENT = ref(9, "agent", "lamplight")
LAMP, LATER, LAYER = ref(1), ref(2), ref(3, "layer", "x86-64-py311")


def deployment(lamp=LAMP, agent=None, layer=None):
    layers = {"lamp": layer} if layer else {}
    return Deployment("home", "pi", 1, {"lamp": lamp}, {}, {}, 5.0, 3, agent=agent, layers=layers)


def withdrawn(each, lets_run=False):
    return [Withdrawal(each.kind, each.name, each.version, False, "it leaks", 1, lets_run)]


def test_a_withdrawn_release_does_not_run_and_the_error_says_why_and_what_to_do():
    with pytest.raises(WithdrawnError) as refused:
        withdrawals.check(LAMP, withdrawn(LAMP), deployment())
    error = refused.value
    assert (error.what, error.why) == ("The function lamp version 1 was withdrawn", "it leaks")
    assert (error.remedy, error.part) == ("Deploy another version, or remove it", "functions/lamp")


@pytest.mark.parametrize("active", [None, deployment(LATER), deployment()])
def test_another_release_runs(active):
    withdrawals.check(LAMP, withdrawn(LATER), active)
    withdrawals.check(LAMP, [], active)


def test_one_that_may_go_on_runs_where_it_is_installed_and_only_there():
    withdrawals.check(LAMP, withdrawn(LAMP, lets_run=True), deployment())
    for active in (None, deployment(LATER)):
        with pytest.raises(WithdrawnError):
            withdrawals.check(LAMP, withdrawn(LAMP, lets_run=True), active)


@pytest.mark.parametrize("lets_run", [True, False])
@pytest.mark.parametrize("active", [None, deployment(LATER)])
def test_a_deployment_that_would_install_a_withdrawn_release_is_refused(active, lets_run):
    refused = withdrawals.refusal(deployment(), withdrawn(LAMP, lets_run), active)
    assert refused and refused.part == "functions/lamp"


def test_one_that_is_installed_already_is_carried_along():
    assert withdrawals.refusal(deployment(), withdrawn(LAMP), deployment()) is None
    assert withdrawals.refusal(deployment(), withdrawn(LATER), None) is None


def test_a_withdrawn_layer_is_refused_like_a_function():
    refused = withdrawals.refusal(deployment(layer=LAYER), withdrawn(LAYER), deployment())
    assert refused and refused.part == "layers/x86-64-py311"


def test_a_withdrawn_agent_is_refused_where_it_would_replace_another():
    asked = deployment(agent=AGENT)
    refused = withdrawals.refusal(asked, withdrawn(AGENT), deployment(), other_agent=True)
    assert refused and refused.part == "agents/lamplight"
    assert withdrawals.refusal(asked, withdrawn(AGENT), deployment()) is None
    assert withdrawals.refusal(deployment(), withdrawn(AGENT), deployment(), other_agent=True) is None


def test_a_withdrawal_concerns_the_deployment_that_has_a_part_of_it():
    assert withdrawals.concerned(deployment(), withdrawn(LAMP))
    assert withdrawals.concerned(deployment(layer=LAYER), withdrawn(LAYER))
    assert not withdrawals.concerned(deployment(), withdrawn(LATER))
    assert not withdrawals.concerned(deployment(agent=AGENT), withdrawn(AGENT))
    assert not withdrawals.concerned(None, withdrawn(LAMP))
