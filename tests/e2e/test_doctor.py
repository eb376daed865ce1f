"""`lamplight doctor` on real parts: beside a working agent, from afar, and with something broken."""

import json

from tests.e2e.conftest import DEVICE, Fleet
from tests.support import until


def failed(results: list[dict[str, str]]) -> list[str]:
    return [each["name"] for each in results if each["status"] == "fail"]


def test_a_device_looks_at_itself_and_its_functions_go_on(fleet: Fleet) -> None:
    before = len(fleet.decisions())
    errors = fleet.device(DEVICE)["reported"]["functions"]["night-light"]["errors"]
    assert failed(fleet.json("doctor", DEVICE)["checks"]) == []
    until(lambda: len(fleet.decisions()) > before + 5, "decisions go on")
    assert fleet.device(DEVICE)["reported"]["functions"]["night-light"]["errors"] == errors


def test_an_unplugged_sensor_is_found_from_afar(fleet: Fleet) -> None:
    fleet.world().set(unplugged=True)
    try:
        done = fleet.run("doctor", DEVICE, "--json", code=1)
        results = json.loads(done.stdout)["checks"]
        assert failed(results) == ["sensor.light"]
        assert "wiring" in next(each["remedy"] for each in results if each["name"] == "sensor.light")
    finally:
        fleet.world().set(unplugged=False)


def test_this_machine_looks_at_itself(fleet: Fleet) -> None:
    results = fleet.json("doctor", "--state", str(fleet.state))["checks"]
    assert failed(results) == []
    assert {"shim.answers", "broker.accepts", "database.whole", f"devices.{DEVICE}.presence"} <= {
        each["name"] for each in results
    }
