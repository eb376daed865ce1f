"""What a deployment may hold."""

import pytest

import boards
from cloud_shim import deployments
from cloud_shim.deployments import Trial
from device.errors import LeaseError, RejectedError
from device.protocol import manifest
from device.protocol.deployment import ArtifactRef

BOARD = boards.load("lamplight/simulated")


def ref(kind="function", name="lamp", version=1):
    return ArtifactRef(kind, name, version, f"{version:064x}", 10, "")


def function(name="lamp", **fields):
    return manifest.function({"name": name, "handler": "main:handler", **fields})


def deploy(*refs, settings=None):
    deployment = deployments.empty("home", "pi")
    for each in refs:
        deployment = deployments.with_release(deployment, each, settings or {}, Trial())
    return deployment


def test_a_release_replaces_the_one_of_its_kind_and_name_only():
    deployment = deploy(ref(), ref("model"), ref(name="fan"), ref(version=2), ref("model", version=3))
    assert deployment.generation == 5
    assert {n: r.version for n, r in deployment.functions.items()} == {"lamp": 2, "fan": 1}
    assert {n: r.version for n, r in deployment.models.items()} == {"lamp": 3}


def test_content_is_releases_and_settings():
    one = deploy(ref(), settings={"a": 1})
    assert deployments.same_content(one, deployments.again(one, 9))
    assert not deployments.same_content(one, deploy(ref(), settings={"a": 2}))
    assert not deployments.same_content(one, deploy(ref(version=2), settings={"a": 1}))


def test_a_missing_model_is_named_with_the_command_that_sends_it():
    with pytest.raises(RejectedError) as refused:
        deployments.check(deploy(ref()), {"lamp": function(models=["presence"])}, BOARD)
    assert "lamplight deploy models/presence --device pi" in str(refused.value)
    deployments.check(deploy(ref("model", "presence"), ref()), {"lamp": function(models=["presence"])}, BOARD)


def test_two_functions_on_one_output_are_refused():
    pins = {"led": {"direction": "out"}}
    manifests = {"lamp": function(pins=pins), "fan": function("fan", pins=pins)}
    deployments.check(deploy(ref()), manifests, BOARD)
    with pytest.raises(LeaseError, match="fan and lamp"):
        deployments.check(deploy(ref(), ref(name="fan")), manifests, BOARD)


CONFIG = {"threshold": 100, "name": "lamp", "inverted": False, "steps": [1], "more": {"a": 1}}


@pytest.mark.parametrize(
    "settings", [{}, {"threshold": 99.5}, {"name": ""}, {"inverted": True, "steps": []}, {"more": {"b": 2}}]
)
def test_settings_of_the_right_kind_pass(settings):
    deployments.check_settings(function(config=CONFIG), settings)
    assert deployments.kept_settings(function(config=CONFIG), settings) == settings


@pytest.mark.parametrize(
    "settings",
    [
        {"treshold": 5},
        {"threshold": "5"},
        {"threshold": True},
        {"inverted": 1},
        {"name": None},
        {"steps": {}},
        {"more": []},
    ],
)
def test_misspelt_or_mistyped_setting_is_refused_naming_the_known(settings):
    with pytest.raises(RejectedError, match="inverted, more, name, steps, threshold"):
        deployments.check_settings(function(config=CONFIG), settings)


def test_settings_that_the_new_release_no_longer_has_are_not_kept():
    previous = {"threshold": 5, "gone": 1, "name": 7}
    assert deployments.kept_settings(function(config=CONFIG), previous) == {"threshold": 5}
