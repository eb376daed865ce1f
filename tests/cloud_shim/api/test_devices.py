"""Devices over HTTP."""

import time

import pytest

from cloud_shim.broker import credentials
from cloud_shim.broker import setup as broker
from device.protocol.deployment import decode


@pytest.fixture
def release(http, make_function):
    def add(*arguments, **fields):
        return http.post("/api/releases", content=make_function(*arguments, **fields)).json()

    return add


@pytest.fixture
def deploy(http):
    def put(release, device="pi", **fields):
        body = {key: release[key] for key in ("kind", "name", "version")}
        return http.post(f"/api/devices/{device}/deploy", json={**body, "config": None, "trial": None, **fields})

    return put


def error(answer, status):
    assert answer.status_code == status, answer.text
    assert set(answer.json()["error"]) == {"what", "why", "remedy", "exit_code"}
    return " ".join(str(each) for each in answer.json()["error"].values())


def test_a_new_device_has_nothing_and_was_never_seen(http):
    until = http.get("/api/devices/pi").json()["password_until"]
    assert until > time.time()
    assert http.get("/api/devices/pi").json() == {
        "name": "pi",
        "board": "lamplight/simulated",
        "simulated": False,
        "online": False,
        "silent": False,
        "last_seen": None,
        "revoked": False,
        "password_until": until,
        "desired": {"generation": 0, "functions": {}, "models": {}, "agent": None, "by": ""},
        "failed": [],
        "continued": {},
        "reported": None,
        "withdrawn": [],
        "withdrawals": 0,
        "boards": [],
    }
    assert [each["name"] for each in http.get("/api/devices").json()["devices"]] == ["pi"]


def test_provisioning_again_keeps_the_device_and_changes_the_password(http, shim, release, deploy):
    deploy(release())
    body = {"name": "pi", "board": "lamplight/simulated", "simulation": "/tmp/sim.sock"}
    first, second = (http.post("/api/devices", json=body).json() for _ in range(2))
    assert first["director_root"] == second["director_root"]
    assert first["image_root"] == second["image_root"]
    hashed = credentials.read(broker.folder(shim.config.state) / "passwords")["pi"]
    assert credentials.matches(second["password"], hashed)
    assert not credentials.matches(first["password"], hashed)
    device = http.get("/api/devices/pi").json()
    assert device["simulated"]
    assert device["desired"]["generation"] == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "pi/../x", "board": "lamplight/simulated"}, 400),
        ({"name": "_shim", "board": "lamplight/simulated"}, 400),
        ({"name": "pi\nroot:x", "board": "lamplight/simulated"}, 400),
        ({"name": "tv", "board": "no/such"}, 404),
        ({"name": "tv", "board": "../../etc"}, 404),
        ({"name": "tv", "board": "raspberry-pi/4b", "simulation": "/tmp/s"}, 400),
        ({"name": "tv"}, 400),
        ({"name": "tv", "board": "lamplight/simulated", "simulated": True}, 400),
        ([], 400),
    ],
)
def test_device_that_cannot_be_is_not_created(http, body, status):
    error(http.post("/api/devices", json=body), status)
    assert len(http.get("/api/devices").json()["devices"]) == 1


def test_deploying_puts_a_release_over_what_is_there(http, release, deploy, make_model):
    model = http.post("/api/releases", content=make_model()).json()
    assert deploy(release("lamp"), config={"threshold": 7}).json() == {"generation": 1}
    deploy(model)
    assert deploy(release("lamp", "# 2")).json() == {"generation": 3}
    assert http.get("/api/devices/pi").json()["desired"] == {
        "generation": 3,
        "functions": {"lamp": {"version": 2, "config": {"threshold": 7}}},
        "models": {"presence": {"version": 1}},
        "agent": None,
        "by": "owner",
    }


def test_given_settings_replace_all_previous_ones(http, release, deploy):
    deploy(release("lamp"), config={"threshold": 7})
    deploy(release("lamp"), config={"inverted": True})
    desired = http.get("/api/devices/pi").json()["desired"]
    assert desired["functions"]["lamp"]["config"] == {"inverted": True}


def test_a_trial_is_as_long_as_asked(shim, release, deploy):
    deploy(release("lamp"), trial={"seconds": 60, "events": 9})
    deployment = shim.fleet.deployment("pi")
    assert (deployment.trial_seconds, deployment.trial_events) == (60, 9)
    assert decode(deployment.encode()).to_json() == deployment.to_json()


def test_a_function_whose_model_is_missing_is_refused_and_nothing_changes(http, release, deploy):
    deploy(release("lamp"))
    told = error(deploy(release("eyes", models=["presence"], pins="")), 422)
    assert "lamplight deploy models/presence --device pi" in told
    assert http.get("/api/devices/pi").json()["desired"]["generation"] == 1


def test_second_function_on_the_same_pin_is_refused(release, deploy):
    deploy(release("lamp"))
    assert "led" in error(deploy(release("fan")), 422)


def test_pin_that_the_board_lacks_is_refused(release, deploy):
    assert "motor" in error(deploy(release("lamp", pins="[pins.motor]")), 422)


@pytest.mark.parametrize("config", [{"treshold": 1}, {"threshold": "1"}, {"threshold": None}])
def test_wrong_setting_is_refused_naming_the_known(http, release, deploy, config):
    assert "threshold" in error(deploy(release("lamp"), config=config), 422)
    assert http.get("/api/devices/pi").json()["desired"]["generation"] == 0


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"version": 9}, 404),
        ({"name": "fan"}, 404),
        ({"kind": "virus"}, 400),
        ({"version": "1"}, 400),
        ({"version": 10**30}, 400),
        ({"config": []}, 400),
        ({"trial": {"seconds": -1}}, 400),
        ({"trial": {"forever": True}}, 400),
        ({"force": True}, 400),
    ],
)
def test_malformed_deployment_is_refused(http, release, deploy, fields, status):
    error(deploy(release("lamp"), **fields), status)
    assert http.get("/api/devices/pi").json()["desired"]["generation"] == 0


@pytest.mark.parametrize("body", [b"", b"{", b'{"config": NaN}', b"[" * 100_000, b"\xff", b'{"kind": Infinity}'])
def test_body_that_is_no_json_is_refused(http, body):
    error(http.post("/api/devices/pi/deploy", content=body), 400)


def test_unknown_device_is_answered_with_the_known(http, release, deploy):
    for answer in (
        http.get("/api/devices/tv"),
        http.get("/api/devices/TV%0a"),
        http.post("/api/devices/tv/rollback"),
        deploy(release("lamp"), "tv"),
    ):
        assert error(answer, 404)
    assert "pi" in error(http.get("/api/devices/tv"), 404)


def test_a_removed_function_is_gone_and_the_rest_stays(http, release, deploy, make_model):
    deploy(http.post("/api/releases", content=make_model()).json())
    deploy(release("lamp"), config={"threshold": 7})
    assert http.delete("/api/devices/pi/functions/lamp").json() == {"generation": 3}
    desired = http.get("/api/devices/pi").json()["desired"]
    assert desired == {
        "generation": 3,
        "functions": {},
        "models": {"presence": {"version": 1}},
        "agent": None,
        "by": "owner",
    }
    assert http.delete("/api/devices/pi/models/presence").json() == {"generation": 4}


def test_a_function_deployed_after_its_removal_has_none_of_its_old_settings(http, release, deploy):
    deploy(release("lamp"), config={"threshold": 7})
    http.delete("/api/devices/pi/functions/lamp")
    deploy(release("lamp"))
    assert http.get("/api/devices/pi").json()["desired"]["functions"]["lamp"]["config"] == {}


def test_a_model_that_a_function_needs_is_not_removed_and_nothing_changes(http, release, deploy, make_model):
    deploy(http.post("/api/releases", content=make_model()).json())
    deploy(release("eyes", models=["presence"], pins=""))
    told = error(http.delete("/api/devices/pi/models/presence"), 422)
    assert "lamplight remove pi/eyes" in told
    assert http.get("/api/devices/pi").json()["desired"]["generation"] == 2


@pytest.mark.parametrize("path", ["pi/functions/fan", "pi/models/lamp", "tv/functions/lamp", "pi/functions/LAMP%0a"])
def test_what_is_not_there_cannot_be_removed(http, release, deploy, path):
    deploy(release("lamp"))
    error(http.delete(f"/api/devices/{path}"), 404)
    assert http.get("/api/devices/pi").json()["desired"]["generation"] == 1


def test_rollback_without_an_earlier_deployment_says_so(http):
    assert "nothing to roll pi back to" in error(http.post("/api/devices/pi/rollback"), 422)


def test_unknown_path_and_method_have_the_same_form(http):
    error(http.get("/api/nothing"), 404)
    error(http.put("/api/devices"), 405)


def test_health_tells_that_the_broker_is_away(http):
    assert http.get("/api/health").json()["broker"]["connected"] is False


def test_another_attempt_has_a_higher_number_than_any_before_and_is_signed(shim, release, deploy):
    lamp = release("lamp")
    deploy(lamp)
    assert shim.fleet.deployment("pi").attempt == 0
    deploy(lamp, retry=True)
    first = shim.fleet.deployment("pi")
    deploy(lamp, retry=True)
    assert shim.fleet.deployment("pi").attempt > decode(first.encode()).attempt > 0


def test_another_attempt_is_asked_for_with_yes_or_no_only(http, release):
    made = release("lamp")
    body = {key: made[key] for key in ("kind", "name", "version")}
    answer = http.post("/api/devices/pi/deploy", json={**body, "config": None, "trial": None, "retry": 3})
    assert answer.status_code == 400
