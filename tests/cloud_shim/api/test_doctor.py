"""POST /api/devices/D/doctor, with a device that answers what a test says."""

import json
import threading

import pytest
from starlette.testclient import TestClient

from cloud_shim.app import create_app
from cloud_shim.config import Config
from cloud_shim.people import token_files
from cloud_shim.shim import Shim

RESULT = {"name": "clock.set", "status": "ok", "found": "2026", "remedy": ""}
CALL, REPLY = "lamplight/1/home/d/pi/call/doctor", "lamplight/1/home/d/pi/reply/doctor"


@pytest.fixture
def ask(mosquitto, connect, until):
    """Asks for the doctor of a device that gives `result` or `error`; gives the answer and the device's call."""
    the = Shim(Config(mosquitto.state, 0, "127.0.0.1", mosquitto.port))
    headers = {"Authorization": f"Bearer {token_files.owner(mosquitto.state)}"}
    with TestClient(create_app(the), base_url="http://127.0.0.1:8420", headers=headers) as http:
        password = http.post("/api/devices", json={"name": "pi", "board": "lamplight/simulated", "simulation": None})
        pi = connect(mosquitto.port, "pi", password.json()["password"])
        pi.subscribe("lamplight/1/home/d/pi/call/+", 1)
        pi.publish("lamplight/1/home/d/pi/presence", b'{"online": true, "session": 1}', True)
        until(lambda: http.get("/api/devices/pi").json()["online"], "the device is seen")

        def run(result=None, error=""):
            def answer():
                until(lambda: pi.of(CALL), "the call")
                asked = json.loads(pi.of(CALL)[-1])
                pi.publish(REPLY, json.dumps({"id": asked["id"], "result": result, "error": error}).encode())

            thread = threading.Thread(target=answer)
            thread.start()
            given = http.post("/api/devices/pi/doctor")
            thread.join()
            return given, json.loads(pi.of(CALL)[-1])

        yield run


def test_the_devices_findings_come_back_and_the_call_says_what_it_is(ask):
    answer, asked = ask({"checks": [RESULT]})
    assert (answer.status_code, answer.json()) == (200, {"checks": [RESULT]})
    assert asked["type"] == "lamplight.doctor"
    assert set(asked["data"]) == {"time"}


@pytest.mark.parametrize("result", [None, [], {"checks": {}}, {"checks": [{**RESULT, "status": "splendid"}]}])
def test_a_device_that_answers_nonsense_is_said_to(ask, result):
    answer, _ = ask(result)
    assert answer.status_code == 422
    assert "no sensible answer" in answer.text


def test_a_device_of_before_there_was_a_doctor_says_so_itself(ask):
    answer, _ = ask(None, "no function 'doctor' runs here")
    assert (answer.status_code, "no function 'doctor'" in answer.text) == (422, True)


def test_an_offline_device_is_not_waited_for(http):
    answer = http.post("/api/devices/pi/doctor")
    assert (answer.status_code, "pi is offline" in answer.text) == (504, True)
