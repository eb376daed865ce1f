"""/api/devices/{device}/rename: a board that is kept out of a name becomes a device of its own."""

import json

import pytest

from cloud_shim.fleet import generations
from device.enrol.secret import hash_password
from device.protocol import enrolment
from device.protocol.enrolment import Ask

OWN = hash_password("its own")


def shows_its_own(shim, generation):
    """Another board claims the name pi, and shows a password of its own; it runs this generation."""
    for board in ("serial-1000/aa", "serial-2000/bb"):
        shim.twins.connected("pi", board)
    ask = Ask("pi", "lamplight/simulated", "", hash_password("next"), "", OWN, generation)
    assert shim.naming.answer("pi", ask).name == ""


@pytest.fixture
def deployed(http, shim, make_function):
    """The name pi has had two deployments; the board that is kept out runs the first. Gives the generations."""
    given = []
    for code in ("", "# 2"):
        release = http.post("/api/releases", content=make_function("lamp", code)).json()
        body = {key: release[key] for key in ("kind", "name", "version")}
        answer = http.post("/api/devices/pi/deploy", json={**body, "config": None, "trial": None})
        given.append(answer.json()["generation"])
    shows_its_own(shim, given[0])
    return given


def rename(http, **body):
    return http.post("/api/devices/pi/rename", json={"board": "bb", "name": "shelf-pi", **body})


def test_it_goes_on_with_what_its_board_runs_and_the_other_stays_as_it_is(http, shim, deployed):
    first, second = deployed
    named = rename(http)
    assert named.status_code == 200
    mark = enrolment.fingerprint(OWN)
    assert [(each["fingerprints"], each["named"]) for each in named.json()["boards"]] == [
        ([], ""),
        ([mark], "shelf-pi"),
    ]
    was = shim.fleet.deployment("shelf-pi")
    # Newer than anything that its board was given as pi.
    assert (was.device, was.generation) == ("shelf-pi", second + 1)
    with shim.database.read() as session:
        assert was.content() == generations.at(session, "home", "pi", first).content()
    assert http.get("/api/devices/pi").json()["desired"]["generation"] == second
    assert http.get("/api/devices/shelf-pi").json()["desired"]["by"] == "owner"
    rename(http)
    assert shim.fleet.deployment("shelf-pi").generation == was.generation


def test_it_is_signed_for_from_where_its_board_was(http, shim, deployed):
    """Its board believes no lower version of the director's metadata than it has seen."""

    def version(device):
        signed = json.loads(shim.signing.desired(shim.fleet.deployment(device)))
        return json.loads(signed["director"]["targets"])["signed"]["version"]

    before = [version("pi") for _ in range(3)][-1]
    rename(http)
    assert version("shelf-pi") > before


def test_a_board_that_ran_nothing_as_another_runs_nothing_as_itself(http, shim):
    shows_its_own(shim, 0)
    assert rename(http).status_code == 200
    assert shim.fleet.deployment("shelf-pi").generation == 0


def test_a_generation_that_never_was_brings_nothing_from_elsewhere(http, shim, deployed):
    shows_its_own(shim, 2**40)
    assert rename(http).status_code == 200
    assert shim.fleet.deployment("shelf-pi").functions == {}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"board": "bb"},
        {"board": 7, "name": "shelf-pi"},
        {"board": "bb", "name": "../x"},
        {"board": "bb", "name": ""},
        {"board": "bb", "name": "shelf-pi", "more": 1},
        {"board": "cc", "name": "shelf-pi"},
        {"board": "aa", "name": "shelf-pi"},
        {"board": "bb", "name": "pi"},
    ],
)
def test_a_bad_name_for_a_board_changes_nothing(http, shim, body):
    shows_its_own(shim, 0)
    before = http.get("/api/devices").json()
    assert http.post("/api/devices/pi/rename", json=body).status_code in (400, 404, 422)
    assert http.get("/api/devices").json() == before
