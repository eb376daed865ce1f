"""What is said of an output is what its line has, on a real `lamplight up`: by page, report and records."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cloud_shim.console import browser
from tests.e2e.conftest import DEVICE, Fleet
from tests.support import until

# Lit at its start, and ended by its own hand when it is called: the worker that follows starts with the LED at rest.
LIT = """
import os


def handler(event, context):
    if event.type == "lamplight.call":
        os._exit(3)
    context.pins["led"].value = True
"""
LIT_MANIFEST = 'name = "lit"\nhandler = "main:handler"\n\n[[triggers]]\ntype = "start"\n\n[pins.led]\n'
PAGE = f"/devices/{DEVICE}"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    driver = browser.start(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


@pytest.fixture
def page(chromium: Any, fleet: Fleet) -> browser.Page:
    return browser.Page(chromium, fleet, "desktop").open(fleet.way_in()).open(PAGE).ready()


def reported(fleet: Fleet) -> dict[str, Any]:
    return fleet.json("status", DEVICE)["reported"]["outputs"]


def agrees(fleet: Fleet, page: browser.Page, lit: bool) -> None:
    """The line has that level; the page, the report and the records say so."""
    fleet.led_becomes(lit)
    page.until_text("#outputs", "led on" if lit else "led off")
    until(lambda: reported(fleet)["led"]["level"] is lit, "the report says so")
    levels = [each["level"] for each in records(fleet) if each["pin"] == "led"]
    assert levels[-1] is lit


def records(fleet: Fleet) -> list[dict[str, Any]]:
    told = httpx.get(
        f"{fleet.url}/api/records?device={DEVICE}&stream=telemetry&limit=5000", headers=fleet.token()
    ).json()
    return [each for each in told["records"] if each["kind"] == "output"]


def only(fleet: Fleet, folder: Path) -> None:
    """That function alone runs, in a bright room."""
    fleet.world().set(lux=320.0, covered=False, unplugged=False)
    for other in fleet.json("status", DEVICE)["desired"]["functions"]:
        fleet.run("remove", f"{DEVICE}/{other}")
    fleet.run("deploy", str(folder), "--device", DEVICE)


def test_a_sensor_that_is_lost_takes_the_light_with_it(fleet: Fleet, night_light: Path, page: browser.Page) -> None:
    fleet.run("sim", "cover", "--device", DEVICE)
    agrees(fleet, page, True)
    fleet.run("sim", "unplug", "--device", DEVICE)
    agrees(fleet, page, False)


def test_what_sim_prints_is_the_state_after_the_change(fleet: Fleet, night_light: Path) -> None:
    fleet.led_becomes(False)
    for action, state in [("cover", "led on"), ("uncover", "led off"), ("cover", "led on"), ("light", "led off")]:
        value = ["40000"] if action == "light" else []
        assert state in fleet.run("sim", action, *value, "--device", DEVICE).stdout, action


def test_a_removed_function_leaves_nothing_lit_on_the_page(fleet: Fleet, night_light: Path, page: browser.Page) -> None:
    fleet.run("sim", "cover", "--device", DEVICE)
    agrees(fleet, page, True)
    fleet.run("remove", f"{DEVICE}/night-light")
    fleet.led_becomes(False)
    page.until_text("#outputs", "No function drives an output")
    until(lambda: reported(fleet) == {}, "the report says so")
    until(lambda: [each["level"] for each in records(fleet)][-2:] == [False, None], "the records say so")


def test_a_worker_that_crashed_has_left_its_output_at_rest(
    fleet: Fleet, night_light: Path, page: browser.Page, tmp_path: Path
) -> None:
    folder = tmp_path / "lit"
    folder.mkdir()
    (folder / "main.py").write_text(LIT)
    (folder / "function.toml").write_text(LIT_MANIFEST)
    only(fleet, folder)
    agrees(fleet, page, True)
    fleet.run("call", f"{DEVICE}/lit", code=None)
    agrees(fleet, page, False)
    fleet.run("remove", f"{DEVICE}/lit")


def test_a_request_that_makes_no_record_of_itself_is_seen_on_the_page(
    fleet: Fleet, night_light: Path, page: browser.Page, tmp_path: Path
) -> None:
    folder = tmp_path / "lamp-api"
    fleet.run("new", "lamp-api", str(folder))
    only(fleet, folder)
    for body, lit in [("on", True), ("off", False)]:
        request = f'{{"method": "PUT", "path": "/lamp", "body": "{body}"}}'
        fleet.run("call", f"{DEVICE}/lamp-api", request)
        agrees(fleet, page, lit)
    fleet.run("remove", f"{DEVICE}/lamp-api")
