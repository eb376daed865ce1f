"""What a deployment may hold."""

import pytest

import boards
from cloud_shim.fleet import deployments
from cloud_shim.fleet.deployments import Trial
from device.errors import LeaseError, NotFoundError, RejectedError
from device.protocol import manifest
from device.protocol.deployment import ArtifactRef
from tests import samples

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
    with pytest.raises(LeaseError, match="lamp and fan both lease"):
        deployments.check(deploy(ref(), ref(name="fan")), manifests, BOARD)


def test_the_function_that_was_there_first_is_the_one_whose_removal_is_offered():
    pins = {"led": {"direction": "out"}}
    manifests = {"lamp": function(pins=pins), "fan": function("fan", pins=pins)}
    for refs, present in (((ref(), ref(name="fan")), "lamp"), ((ref(name="fan"), ref()), "fan")):
        with pytest.raises(LeaseError) as refused:
            deployments.check(deploy(*refs, ref(*("function", refs[1].name, 2))), manifests, BOARD)
        assert f"lamplight remove DEVICE/{present}" in refused.value.remedy


def test_removal_takes_what_is_named_with_its_settings_and_nothing_else():
    before = deploy(ref(), ref(name="fan"), ref("model", "lamp"), settings={"threshold": 5})
    after = deployments.without(before, "function", "lamp", Trial())
    assert (after.generation, list(after.functions), list(after.models)) == (4, ["fan"], ["lamp"])
    assert "lamp" not in after.config
    assert list(deployments.without(before, "model", "lamp", Trial()).functions) == ["lamp", "fan"]
    assert list(before.functions) == ["lamp", "fan"]


@pytest.mark.parametrize(("kind", "name"), [("function", "fan"), ("model", "lamp")])
def test_removing_what_is_not_there_names_what_is(kind, name):
    with pytest.raises(NotFoundError, match=f"no {kind} '{name}'") as refused:
        deployments.without(deploy(ref(), ref("model", "presence")), kind, name, Trial())
    assert {"function": "lamp", "model": "presence"}[kind] in refused.value.why


def test_removing_a_model_as_a_function_says_how_models_are_removed():
    with pytest.raises(NotFoundError) as refused:
        deployments.without(deploy(ref("model", "presence")), "function", "presence", Trial())
    assert "--model" in refused.value.remedy


def test_a_model_in_use_cannot_be_removed_and_its_users_are_named():
    without = deployments.without(deploy(ref("model", "eyes"), ref()), "model", "eyes", Trial())
    deployments.check_unused(without, {"lamp": function()}, "eyes")
    with pytest.raises(RejectedError) as refused:
        deployments.check_unused(without, {"lamp": function(models=["eyes"])}, "eyes")
    assert "lamp needs it" in refused.value.why
    assert "lamplight remove pi/lamp" in refused.value.remedy


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


def test_a_setting_that_is_refused_is_told_in_a_line():
    with pytest.raises(RejectedError) as refused:
        deployments.check_settings(function(config=CONFIG), {"threshold": "9" * 100_000})
    assert len(str(refused.value)) < 300


def test_settings_that_the_new_release_no_longer_has_are_not_kept():
    previous = {"threshold": 5, "gone": 1, "name": 7}
    assert deployments.kept_settings(function(config=CONFIG), previous) == {"threshold": 5}


MODEL = deploy(ref("model"))


def on(machine, ai):
    return samples.reported_value(ai=ai, platform={"machine": machine, "python": "3.11", "glibc": 36})


def test_a_model_goes_to_a_board_that_runs_models_or_has_not_said():
    deployments.check_models_run(MODEL, BOARD, on("aarch64", True))
    deployments.check_models_run(MODEL, BOARD, None)
    deployments.check_models_run(deploy(ref()), BOARD, on("mips", False))


@pytest.mark.parametrize("reported", [on("armv7l", False), on("mips", False), on("armv7l", True)])
def test_a_model_for_a_machine_without_onnxruntime_is_refused_saying_so(reported):
    with pytest.raises(RejectedError, match="pi cannot run ONNX models") as refused:
        deployments.check_models_run(MODEL, BOARD, reported)
    assert f"no onnxruntime for {reported.platform.machine}" in str(refused.value)


def test_a_model_for_a_32_bit_board_that_has_not_said_anything_is_refused():
    with pytest.raises(RejectedError, match="no onnxruntime for armv7l"):
        deployments.check_models_run(MODEL, boards.load("beagleboard/beaglebone-black"), None)


def test_a_model_for_a_board_on_which_onnxruntime_is_not_installed_names_what_to_install():
    with pytest.raises(RejectedError, match="install it beside the agent there") as refused:
        deployments.check_models_run(MODEL, BOARD, on("aarch64", False))
    assert "not installed" in str(refused.value)


LAMBDA = {"handler": "app.handler", "runtime": "aws-lambda"}
OLD = samples.reported_value(runtimes=[])


def test_a_function_of_a_cloud_goes_to_an_agent_that_knows_it_or_has_not_said():
    for report in (None, samples.reported_value()):
        deployments.check_runtime("pi", function(**LAMBDA), report)
        deployments.check_runtime("pi", function(environment={"A": "b"}), report)
    deployments.check_runtime("pi", function(), OLD)


@pytest.mark.parametrize(
    ("fields", "said"), [(LAMBDA, "the runtime 'aws-lambda'"), ({"environment": {"A": "b"}}, r"\[environment\]")]
)
def test_an_older_agent_is_to_be_upgraded_first(fields, said):
    with pytest.raises(RejectedError, match=said) as refused:
        deployments.check_runtime("pi", function(**fields), OLD)
    assert refused.value.what == "pi's agent is older than lamp needs"
    assert "`lamplight upgrade pi`" in refused.value.remedy
