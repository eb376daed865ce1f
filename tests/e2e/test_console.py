"""The console in a real headless Chromium, on a real `lamplight up`: what a first-time user does with it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cloud_shim.console import browser
from tests.e2e.conftest import DEVICE, Fleet
from tests.support import until

# The line that begins the starter's handler.
DEFINITION = "def handler(event: Event, context: Context) -> None:"
PAGE = f"/devices/{DEVICE}"
SLIDE = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', {bubbles: true}))"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    driver = browser.start(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


@pytest.fixture
def page(chromium: Any, fleet: Fleet, night_light: Path) -> Iterator[browser.Page]:
    """The device's page with the starter running; nothing strange may have been requested or complained of."""
    shown = browser.Page(chromium, fleet, "desktop").open(fleet.way_in()).open(PAGE).ready()
    yield shown
    errors, strangers = shown.errors(), shown.strangers()
    chromium.get("about:blank")
    assert errors == []
    assert strangers == []


def points(page: browser.Page) -> int:
    return int(page.one("#plot").get_attribute("data-points") or 0)


def test_the_plot_and_the_lamp_follow_the_board(page: browser.Page, fleet: Fleet) -> None:
    before = points(page)
    page.until(lambda: points(page) > before, "new readings in the plot")
    page.until_text("#outputs", "led off")
    page.click("#sim-covered")
    fleet.led_becomes(True)
    page.until_text("#outputs", "led on")


def test_the_slider_sets_the_light_that_the_sensor_reads(page: browser.Page, fleet: Fleet) -> None:
    page.until(lambda: page.one("#sim-lux").is_enabled(), "the slider")
    page.run(SLIDE, page.one("#sim-lux"), 1)
    until(lambda: fleet.world().state()["lux"] == 10.0, "10 lux on the sensor")
    page.until(lambda: float(page.text("#lux").replace(",", "")) < 30, "the reading")
    fleet.led_becomes(True)


def test_inverted_code_deployed_from_the_editor_lights_the_led(page: browser.Page, fleet: Fleet) -> None:
    fleet.led_becomes(False)
    page.replace("<", ">=")
    page.click("#deploy")
    fleet.led_becomes(True)
    page.until(lambda: page.one("#outcome").get_attribute("data-tone") == "ok", "the committed deployment")


def test_a_refused_deployment_says_why_and_changes_nothing(page: browser.Page, fleet: Fleet) -> None:
    page.tolerated.append("422")
    before = fleet.device(DEVICE)["desired"]["generation"]
    page.replace(DEFINITION, "def handler(event, context:")
    page.click("#deploy")
    page.until(lambda: page.one("#outcome").get_attribute("data-tone") == "bad", "the refusal")
    assert "main.py" in page.text("#outcome")
    assert fleet.device(DEVICE)["desired"]["generation"] == before


def test_the_log_tells_live_what_a_deployed_function_prints(page: browser.Page) -> None:
    page.replace(DEFINITION, f"{DEFINITION}\n    print('seen from the browser')")
    page.click("#deploy")
    page.until_text("#log", "seen from the browser")
