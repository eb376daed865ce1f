"""Releases withdrawn over HTTP: nothing brings one back, everybody sees it, and only some may do it."""

import json

import pytest

from cloud_shim.cli.keys.release_keys import ReleaseKeys
from cloud_shim.fleet import generations
from cloud_shim.tables import DeploymentRow, ReportRow
from cloud_shim.words import withdrawals
from device.protocol.withdrawn import MAX_BECAUSE, Withdrawal
from tests.support import every_release

BAD = [
    ({"because": " "}, 400),
    ({"because": "x" * (MAX_BECAUSE + 1)}, 400),
    ({"because": "it burns\nall is well"}, 400),
    ({"because": "\x1b[2Jnothing"}, 400),
    ({"version": 9}, 404),
    ({"version": 0}, 400),
    ({"kind": "spell"}, 400),
    ({"name": "../x"}, 400),
    ({"at": 7}, 400),
    ({"older": "yes"}, 400),
]


@pytest.fixture
def lamps(http, make_function):
    """Three versions of a function, all of them proved on the board in turn; the third one is asked for."""
    releases = [http.post("/api/releases", content=make_function(code=f"# {n}")).json() for n in range(3)]
    for each in releases:
        assert deploy(http, each).status_code == 200
    return releases


@pytest.fixture
def proved(shim, lamps):
    with shim.database.write() as session:
        for row in session.query(DeploymentRow):
            row.outcome = "COMMITTED"
    return lamps


def deploy(http, release):
    return http.post("/api/devices/pi/deploy", json={key: release[key] for key in ("kind", "name", "version")})


def withdraw(http, version, **more):
    body = {"kind": "function", "name": "night-light", "version": version, "because": "it burns", **more}
    return http.post("/api/withdrawals", json=body)


def test_it_is_listed_with_its_reason_and_who_asked(http, lamps):
    assert withdraw(http, 2).status_code == 200
    (entry,) = http.get("/api/withdrawals").json()["withdrawals"]
    assert (entry["name"], entry["version"], entry["because"], entry["by"]) == ("night-light", 2, "it burns", "owner")


def test_it_is_not_deployed_any_more(http, lamps):
    withdraw(http, 2)
    answer = deploy(http, lamps[1])
    assert (answer.status_code, answer.json()["error"]["exit_code"]) == (422, 5)
    assert "it burns" in answer.text
    assert deploy(http, lamps[2]).status_code == 200


def test_neither_is_an_older_one_but_each_newer_one_is(http, lamps, make_function):
    withdraw(http, 2, older=True)
    assert [deploy(http, each).status_code for each in lamps] == [422, 422, 200]
    data = make_function(code="# 4")
    assert http.post("/api/releases?device=pi", content=data).status_code == 200


def test_a_rollback_passes_it_over(http, shim, proved):
    withdraw(http, 2)
    assert http.post("/api/devices/pi/rollback").status_code == 200
    assert shim.fleet.deployment("pi").functions["night-light"].version == 1


def test_a_rollback_passes_over_what_was_not_confirmed_when_the_keys_were_taken(http, shim, proved, tmp_path):
    keys = ReleaseKeys(tmp_path / "keys", shim.signing.image())
    confirmed = {f"functions/night-light/{version}.tar" for version in (1, 3)}
    shim.adopt(keys.take(shim.signing.image(), confirmed), "owner")
    assert http.post("/api/devices/pi/rollback").status_code == 200
    assert shim.fleet.deployment("pi").functions["night-light"].version == 1


def test_a_rollback_to_nothing_else_says_so(http, proved):
    withdraw(http, 2, older=True)
    answer = http.post("/api/devices/pi/rollback")
    assert (answer.status_code, answer.json()["error"]["exit_code"]) == (422, 5)
    assert "was withdrawn" in answer.text


def test_the_device_shows_it(http, lamps):
    withdraw(http, 3)
    device = http.get("/api/devices/pi").json()
    assert device["withdrawals"] == 1
    assert [(each["name"], each["version"], each["because"]) for each in device["withdrawn"]] == [
        ("night-light", 3, "it burns")
    ]
    (notice,) = http.get("/api/health").json()["notices"]
    assert notice.startswith("night-light v3 was withdrawn (it burns) and is still asked for on pi")


def test_the_notices_ask_for_the_parts_of_each_device_about_withdrawals_alone(http, shim, lamps):
    withdraw(http, 3)
    for name in ("bare-pi", "shut-out"):
        http.post("/api/devices", json={"name": name, "board": "lamplight/simulated", "simulation": None})
    http.post("/api/devices/shut-out/revoke", json={})
    with shim.database.write() as session:
        session.add(ReportRow(device="pi", body='{"boot": "1-ab"}', received=1.0))
    whole = {each["name"]: each for each in shim.fleet.views(None)}
    heeding = shim.fleet.heeding()
    assert {each["name"] for each in heeding} == whole.keys() == {"pi", "bare-pi", "shut-out"}
    for each in heeding:
        assert each == {key: whole[each["name"]][key] for key in each}
    assert withdrawals.notices(heeding) == withdrawals.notices(list(whole.values()))


def test_the_others_are_deployed_beside_a_withdrawn_one(http, lamps, make_function):
    withdraw(http, 3)
    bell = http.post("/api/releases", content=make_function("bell", pins="")).json()
    assert deploy(http, bell).status_code == 200


def test_a_function_does_not_start_to_use_a_withdrawn_model(http, make_function, make_model):
    model = http.post("/api/releases", content=make_model()).json()
    assert deploy(http, model).status_code == 200
    http.post("/api/withdrawals", json={"kind": "model", "name": "presence", "version": 1, "because": "poisoned"})
    function = http.post("/api/releases", content=make_function(models=["presence"])).json()
    assert "poisoned" in deploy(http, function).text


def test_a_bad_request_is_refused_and_withdraws_nothing(http, lamps):
    for change, status in BAD:
        assert withdraw(http, **{"version": 2, **change}).status_code == status, change
    assert http.get("/api/withdrawals").json() == {"withdrawals": []}


def test_the_same_again_is_refused(http, lamps):
    withdraw(http, 2)
    assert withdraw(http, 2, because="again").status_code == 422
    assert withdraw(http, 2, older=True).status_code == 200


def test_it_takes_the_highest_permission(http, lamps):
    body = {"kind": "function", "name": "night-light", "version": 2, "because": "it burns"}
    for permission, status in (("view", 403), ("operate", 403), ("administer", 200)):
        token = http.post("/api/tokens", json={"name": permission, "permission": permission}).json()["token"]
        answer = http.post("/api/withdrawals", json=body, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status
    assert [each["by"] for each in http.get("/api/withdrawals").json()["withdrawals"]] == ["administer"]


def test_once_the_keys_were_taken_only_their_machine_withdraws_and_nobody_takes_it_back(http, shim, lamps, tmp_path):
    keys = ReleaseKeys(tmp_path / "keys", shim.signing.image())
    shim.adopt(keys.take(shim.signing.image(), every_release(shim.signing.image())), "owner")
    assert withdraw(http, 2).status_code == 422
    before = keys.renew(shim.signing.image())
    offer = keys.withdraw(shim.signing.image(), Withdrawal("function", "night-light", 2, False, "it burns", 1))
    assert http.post("/api/keys", json=offer).status_code == 200
    assert http.get("/api/withdrawals").json()["withdrawals"][0]["by"] == "owner"
    assert http.post("/api/keys", json=before).status_code == 422
    assert len(shim.withdrawals.known()) == 1
    assert len(json.loads(shim.signing.image()["targets"])["signed"]["withdrawn"]) == 1


def test_a_later_release_of_the_shim_keeps_the_list(http, shim, lamps, make_function):
    withdraw(http, 2)
    http.post("/api/releases", content=make_function("bell", pins=""))
    assert len(shim.withdrawals.known()) == 1


def test_the_list_is_in_each_devices_signed_document(http, shim, lamps):
    withdraw(http, 3)
    with shim.database.read() as session:
        present = generations.at(session, "home", "pi", 3)
    document = json.loads(shim.signing.desired(present))
    assert json.loads(document["image"]["targets"])["signed"]["withdrawn"][0]["version"] == 3
