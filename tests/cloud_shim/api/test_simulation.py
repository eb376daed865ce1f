"""The simulated world over HTTP, with the real simulated hardware."""

import subprocess
import sys

import pytest


@pytest.fixture
def simulated(http, until, tmp_path):
    socket = tmp_path / "sim.sock"
    process = subprocess.Popen([sys.executable, "-m", "device.hal.sim", "--socket", str(socket)])
    until(socket.exists, "the simulated hardware")
    http.post("/api/devices", json={"name": "sim", "board": "lamplight/simulated", "simulation": str(socket)})
    yield "/api/sim/sim"
    process.terminate()
    process.wait(10)


def test_the_light_can_be_set_and_the_sensor_covered_and_unplugged(http, simulated):
    world = http.post(simulated, json={"lux": 500}).json()
    assert (world["lux"], world["covered"], world["unplugged"]) == (500, False, False)
    assert http.post(simulated, json={"covered": True, "unplugged": True}).json()["covered"] is True
    assert http.get(simulated).json()["unplugged"] is True
    assert "led" in http.get(simulated).json()["pins"]


def test_an_input_is_driven_from_outside(http, simulated):
    assert http.post(simulated, json={"pin": "button", "level": True}).json()["pins"]["button"] is True
    assert http.post(simulated, json={"pin": "button", "level": False}).json()["pins"]["button"] is False
    assert http.post(simulated, json={"pin": "button", "level": None}).status_code == 200
    assert http.post(simulated, json={"pin": "moon", "level": True}).status_code == 400


@pytest.mark.parametrize("body", [{"lux": "bright"}, {"lux": -1}, {"lux": 1e12}, {"covered": 1}, {"moon": True}, []])
def test_world_that_cannot_be_is_refused(http, simulated, body):
    assert http.post(simulated, json=body).status_code == 400


def test_a_real_board_and_an_unknown_one_have_no_world(http):
    assert http.get("/api/sim/pi").status_code == 404
    assert http.get("/api/sim/tv").status_code == 404


def test_simulated_hardware_that_is_gone_is_offline(http, tmp_path):
    body = {"name": "sim", "board": "lamplight/simulated", "simulation": str(tmp_path / "none.sock")}
    http.post("/api/devices", json=body)
    assert http.get("/api/sim/sim").status_code == 504
