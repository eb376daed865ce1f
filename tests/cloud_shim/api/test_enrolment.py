"""/api/claims, /api/cards and revocation over HTTP."""

import pytest

from cloud_shim.broker import setup as broker
from device.enrol.secret import hash_password
from device.protocol import enrolment
from device.protocol.enrolment import Ask
from device.protocol.topics import ENROL_USER, Topic


@pytest.fixture
def claim(shim):
    hash = hash_password("secret")
    ask = Ask("shelf-pi", "raspberry-pi/4b", "1000", hash)
    shim.enrolment.asked(Topic("home", "ask", ENROL_USER, enrolment.client_id(hash)), ask.encode())
    return enrolment.fingerprint(hash)


def test_a_claim_is_shown_without_the_hash_of_its_password(http, claim):
    (shown,) = http.get("/api/claims").json()["claims"]
    assert shown["name"] == "shelf-pi" and shown["fingerprint"] == claim
    assert "$7$" not in http.get("/api/claims").text


def test_accepting_makes_a_device_and_rejecting_none(http, claim):
    assert http.post(f"/api/claims/{claim}/reject").json() == {"rejected": [claim]}
    assert http.get("/api/claims").json()["claims"][0]["state"] == "rejected"
    assert http.post(f"/api/claims/{claim}/accept", json={}).json() == {"name": "shelf-pi"}
    assert http.get("/api/devices/shelf-pi").json()["board"] == "raspberry-pi/4b"
    assert http.get("/api/claims").json() == {"claims": []}


def test_a_claim_that_nobody_made_is_not_found(http):
    assert http.post("/api/claims/shelf-pi/accept", json={}).status_code == 404
    assert http.post("/api/claims/shelf-pi/reject").status_code == 404
    assert http.delete("/api/claims").json() == {"rejected": []}


def test_a_card_has_a_token_only_on_request_and_no_password_of_a_device(http, shim):
    given = http.post("/api/cards", json={"name": "shelf-pi", "token": False}).json()
    assert given["token"] == "" and given["enrol_password"] == broker.enrol_password(shim.config.state)
    assert "password" not in given and given["director_root"] and given["image_root"]
    assert http.post("/api/cards", json={"name": "shelf-pi", "token": True}).json()["token"]
    assert [each["name"] for each in http.get("/api/devices").json()["devices"]] == ["pi"]


def test_void_cards_have_neither_token_nor_password(http, shim):
    card = http.post("/api/cards", json={"name": "shelf-pi", "token": True}).json()
    assert http.delete("/api/cards").json() == {"tokens": 1}
    assert http.post("/api/cards", json={"name": "shelf-pi"}).json()["enrol_password"] != card["enrol_password"]
    hash = hash_password("secret")
    ask = Ask("shelf-pi", "raspberry-pi/4b", "1000", hash, card["token"])
    shim.enrolment.asked(Topic("home", "ask", ENROL_USER, enrolment.client_id(hash)), ask.encode())
    assert [each["state"] for each in http.get("/api/claims").json()["claims"]] == ["refused"]
    assert [each["name"] for each in http.get("/api/devices").json()["devices"]] == ["pi"]


def test_cards_are_not_voided_under_boards_that_wait(http, claim):
    refused = http.delete("/api/cards")
    assert refused.status_code == 422
    assert "shelf-pi" in refused.json()["error"]["why"]


@pytest.mark.parametrize("token", [True, False])
def test_a_card_for_a_name_that_is_taken_needs_to_be_meant(http, token):
    assert http.post("/api/cards", json={"name": "pi", "token": token}).status_code == 422
    assert http.post("/api/cards", json={"name": "pi", "token": token, "again": True}).status_code == 200


def test_revoking_is_shown_and_needs_a_device(http):
    assert http.post("/api/devices/pi/revoke").json() == {"revoked": "pi"}
    assert http.get("/api/devices/pi").json()["revoked"]
    assert http.post("/api/devices/tv/revoke").status_code == 404


def test_nothing_is_asked_of_a_device_that_was_revoked(http, shim):
    http.post("/api/devices/pi/revoke")
    for refused in (
        http.post("/api/devices/pi/rollback"),
        http.delete("/api/devices/pi/functions/light-switch"),
        http.post("/api/devices/pi/doctor"),
    ):
        assert refused.status_code == 422
        assert "was revoked" in refused.json()["error"]["what"]


def test_the_boards_that_claim_one_name_are_shown_with_the_device_and_one_is_chosen(http, shim):
    assert http.get("/api/devices/pi").json()["boards"] == []
    for board in ("serial-1000/aa", "serial-2000/bb"):
        shim.twins.connected("pi", board)
    (listed,) = http.get("/api/devices").json()["devices"]
    assert [(each["hardware"], each["chosen"]) for each in listed["boards"]] == [
        ("serial-1000/aa", True),
        ("serial-2000/bb", False),
    ]
    assert http.get("/api/devices/pi").json()["boards"] == listed["boards"]
    chosen = http.post("/api/devices/pi/board", json={"hardware": "bb"}).json()
    assert [each["hardware"] for each in chosen["boards"] if each["chosen"]] == ["serial-2000/bb"]
    assert http.get("/api/devices/pi").json()["boards"] == chosen["boards"]


@pytest.mark.parametrize(
    "body", [{}, {"hardware": 7}, {"hardware": "aa", "more": 1}, {"hardware": "cc"}, {"hardware": ""}]
)
def test_a_bad_choice_of_a_board_changes_nothing(http, shim, body):
    for board in ("serial-1000/aa", "serial-2000/bb"):
        shim.twins.connected("pi", board)
    before = http.get("/api/devices/pi").json()["boards"]
    assert http.post("/api/devices/pi/board", json=body).status_code in (400, 404, 422)
    assert http.get("/api/devices/pi").json()["boards"] == before
