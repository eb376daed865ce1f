"""What the page shows of outputs: what the board tells, and never what a handler's results would suggest."""

import time

import pytest
from fake_shim import Fake
from fake_state import State

pytestmark = pytest.mark.e2e


def lit(page, pin="led"):
    return page.run("return document.querySelector(`.lamp[data-pin='${arguments[0]}']`)?.dataset.on", pin)


def amber(page):
    """How many pixels of the plot are those of an output that is on."""
    page.run("window.scrollTo(0, 0)")
    return page.probe("amber()")


@pytest.fixture
def still():
    """A fake whose board does nothing by itself; its function decided "on" again and again."""
    state = State()
    state.add_device("desk-pi")
    return Fake(state)


def decide(server, level=True, count=5):
    """What a handler returned and drove, as old pages took it for the level of the pin."""
    for number in range(count):
        told = {"function": "night-light", "version": 3, "event": f"d{number}", "trigger": "lamplight.call"}
        server.do(
            server.fake.state.emit, "desk-pi", "telemetry", "decision", **told, pins={"led": level}, result=None, ms=0.1
        )


def test_a_level_is_the_boards_word_and_not_a_decisions(still, serve, show):
    server = serve(still)
    page = show(server).ready()
    page.until_text("#outputs", "led off")
    decide(server)
    server.do(server.fake.state.emit, "desk-pi", "telemetry", "reading", sensor="light", lux=9.0, saturated=False)
    page.until_text("#lux", "9")
    assert lit(page) == "off"
    assert amber(page) == 0


def test_the_safe_level_after_a_crash_or_a_lost_sensor_is_shown_at_once(still, serve, show):
    server = serve(still)
    page = show(server).ready()
    server.do(still.state.drive, "desk-pi", "led", True)
    page.until_text("#outputs", "led on")
    decide(server)
    server.do(still.state.drive, "desk-pi", "led", False)
    page.until_text("#outputs", "led off")


def test_a_removed_function_drives_nothing_and_its_band_ends(still, serve, show):
    server = serve(still)
    page = show(server).ready()
    server.do(still.state.drive, "desk-pi", "led", True, at=time.time() - 30)
    page.until(lambda: amber(page) > 500, "a band")
    server.do(still.state.let_go, "desk-pi", "led")
    page.until_text("#outputs", "No function drives an output")
    assert lit(page) is None


def test_pins_of_any_name_each_have_a_lamp_and_a_lane(still, serve, show):
    server = serve(still)
    page = show(server).ready()
    for number, pin in enumerate(("relay", "x" * 63, "fan")):
        server.do(still.state.drive, "desk-pi", pin, number != 1, "cooler")
    server.do(still.state.changed, "desk-pi")
    page.until(lambda: lit(page, "fan") == "on", "the fan on")
    assert [lit(page, pin) for pin in ("led", "relay", "x" * 63)] == ["off", "on", "off"]
    assert not page.probe("tooWide()")


def test_a_board_that_tells_no_outputs_claims_none(still, serve, show):
    del still.state.devices["desk-pi"]["reported"]["outputs"]
    server = serve(still)
    page = show(server).ready()
    decide(server)
    page.until_text("#outputs", "Outputs unknown")
    server.do(still.state.report, "desk-pi", outputs={"led": {"function": "f", "level": None, "since": 1.0}})
    page.until_text("#outputs", "led unknown")


def test_what_was_lit_when_the_board_went_away_does_not_glow(still, serve, show):
    server = serve(still)
    page = show(server).ready()
    server.do(still.state.drive, "desk-pi", "led", True)
    page.until_text("#outputs", "led on")
    server.do(still.state.devices["desk-pi"].update, online=False)
    server.do(still.state.changed, "desk-pi")
    page.until_text("#outputs", "led was on")
    page.until_text("#light-note", "Offline since")
    glow = "return getComputedStyle(document.querySelector('.lamp .glow')).opacity"
    page.until(lambda: page.run(glow) == "0", "the lamp out")
    page.until_text(".update-text", "Last known: generation 7")
    page.until_text("#state", "was running")


def test_a_board_without_a_light_sensor_has_no_lux_and_its_outputs_over_time(serve, show):
    state = State()
    state.add_device("hall-pi", board="linux/x86-64", simulated=False)
    server = serve(Fake(state))
    page = show(server, "/devices/hall-pi").ready()
    server.do(state.drive, "hall-pi", "led", True)
    page.until_text("#outputs", "led on")
    assert page.text("#light-title") == "Outputs"
    assert not page.all("#lux")
    page.until(lambda: page.probe("painted()") > 100, "a lane")


def test_log_lines_stand_in_the_order_of_their_times_and_have_a_day(still, serve, show):
    server = serve(still)
    page = show(server).ready()
    now = time.time()

    def line(text, at):
        told = {"function": "", "version": 0, "level": "info", "text": text, "time": at}
        server.do(still.state.emit, "desk-pi", "logs", "log", **told)

    line("yesterday", now - 86_400)
    line("third", now)
    line("first", now - 20)
    line("second", now - 10)
    page.until_text("#log", "second")
    texts = page.run("return [...document.querySelectorAll('.log-text')].map((e) => e.textContent)")
    assert texts == ["yesterday", "first", "second", "third"]
    days = page.run("return [...document.querySelectorAll('.log-line')].map((e) => e.dataset.day ?? '')")
    assert days[0] and days[1] > days[0] and days[2:] == ["", ""]
    line("the clock was set back", now - 100_000)
    page.until_text("#log", "set back")
    assert page.text(".log-line:last-child").endswith("the clock was set back")


def test_deploy_is_off_with_the_reason_when_the_key_is_elsewhere(still, serve, show):
    still.signs = False
    page = show(serve(still))
    page.until_text("#no-keys", "lamplight deploy FOLDER")
    assert page.one("#deploy").get_attribute("disabled")
    still.signs = True
    page.run("dispatchEvent(new Event('focus'))")
    page.until(lambda: not page.one("#deploy").get_attribute("disabled"), "the button")
    assert not page.one("#no-keys").is_displayed()


def test_call_offers_what_the_triggers_give_and_says_what_it_drives(still, serve, show):
    server = serve(still)
    page = show(server).ready()
    page.until_text("#call-effect", "real output led")
    options = page.run("return [...document.getElementById('call-type').options].map((o) => o.text)")
    assert options == ["sensor reading", "plain call"]
    page.click("#call-send")
    page.until_text("#call-result", "Returned after")
    assert still.posted[-1][1]["type"] == "lamplight.sensor.reading"
    assert still.posted[-1][1]["data"]["lux"] == 5


def test_published_values_are_shown_newest_of_each_topic(still, serve, show):
    server = serve(still)
    page = show(server).ready()
    for number in (1, 2):
        told = {"function": "f", "version": 1, "topic": "rooms/hall", "data": {"n": number}}
        server.do(still.state.emit, "desk-pi", "events", "publish", **told)
    page.until_text("#values", '{"n":2}')
    assert '{"n":1}' not in page.text("#values")
    assert "pin 11, GPIO 17" in page.text("#state")


def test_what_failed_is_not_shown_as_what_runs(server, show):
    page = show(server).ready()
    page.replace("    dark =", "    crash = 1 / 0\n    dark =")
    page.click("#deploy")
    page.until_text("#outcome", "Reverted")
    page.until_text("#opened", "v4 · v3 runs")
    device = server.fake.state.devices["desk-pi"]
    # What failed is taken back, and is still to be corrected: the editor holds it, beside what runs.
    server.do(device["desired"].update, generation=9, functions={"night-light": {"version": 3, "config": {}}})
    server.do(server.fake.state.changed, "desk-pi")
    page.until(lambda: page.run("return document.getElementById('rollback').disabled") is False, "the page follows")
    assert page.text("#opened") == "v4 · v3 runs"
    assert not page.one("#stale").is_displayed()
