"""The page of one device in a real browser: light, lamp, simulated light, log, call."""

import pytest
from fake_shim import Fake
from fake_state import State

pytestmark = pytest.mark.e2e


def lamp(page, pin="led"):
    return page.run("return document.querySelector(`.lamp[data-pin='${arguments[0]}']`)?.dataset.on", pin)


def test_the_plot_draws_the_stored_readings_and_goes_on(page):
    page.until(lambda: page.probe("painted()") > 1000, "a painted plot")
    count = int(page.one("#plot").get_attribute("data-points"))
    assert count >= 400
    page.until(lambda: int(page.one("#plot").get_attribute("data-points")) > count, "more points")


@pytest.mark.parametrize(("select", "value"), [("window", "600"), ("scale", "linear")])
def test_another_window_or_scale_draws_again(page, select, value):
    page.one(f"#{select} option[value='{value}']").click()
    page.until(lambda: page.probe("painted()") > 1000, "a painted plot")


def test_covering_the_sensor_lights_the_lamp(page):
    page.until(lambda: lamp(page) == "off", "the lamp off in daylight")
    page.click("#sim-covered")
    page.until(lambda: lamp(page) == "on", "the lamp on")
    page.until_text("#outputs", "led on")
    page.until_text("#lux", "0.4")
    assert page.one("#sim-covered").get_attribute("aria-checked") == "true"


def test_the_slider_sets_the_light_on_a_logarithmic_scale(page, server):
    page.until(lambda: page.one("#sim-lux").is_enabled(), "the slider")
    page.run(
        "const s = arguments[0]; s.value = 3; s.dispatchEvent(new Event('input', {bubbles: true}))",
        page.one("#sim-lux"),
    )
    page.until(lambda: ("/api/sim/desk-pi", {"lux": 1000}) in server.fake.posted, "the posted light")
    assert page.text("#sim-value") == "1,000 lux"
    page.until(lambda: float(page.text("#lux").replace(",", "")) > 900, "the reading")


def test_a_dragged_slider_sends_one_request_at_a_time_and_ends_at_the_last(page, server):
    page.until(lambda: page.one("#sim-lux").is_enabled(), "the slider")
    page.run(
        "for (let at = 0; at <= 300; at += 1) {"
        " arguments[0].value = at / 100; arguments[0].dispatchEvent(new Event('input')); }",
        page.one("#sim-lux"),
    )
    page.until(lambda: server.fake.state.world["lux"] == 1000, "the last position")
    assert len(server.fake.posted) < 20


def test_a_light_set_by_another_hand_moves_the_slider(page, server):
    page.until(lambda: page.one("#sim-lux").is_enabled(), "the slider")
    server.do(server.fake.state.world.update, lux=10.0)
    page.until_text("#sim-value", "10 lux")
    assert float(page.one("#sim-lux").get_attribute("value")) == 1


def test_unplugging_the_sensor_is_said_in_plain_sight(page):
    page.click("#sim-unplugged")
    page.until_text("#light-note", "no answer at 0x39")
    page.until_text("#state", "no answer at 0x39")
    page.until_text("#log", "no answer at 0x39")


def test_log_lines_arrive_live_with_level_and_function(page, server):
    server.do(server.fake.boards["desk-pi"].log, "error", "the lamp is on fire")
    page.until_text("#log", "the lamp is on fire")
    line = page.run(
        "return [...document.querySelectorAll('.log-line')].find(e => e.textContent.includes('fire')).dataset.level"
    )
    assert line == "error"


def test_the_log_stays_where_someone_reads_and_says_what_is_new(page, server):
    board = server.fake.boards["desk-pi"]
    for number in range(100):
        server.do(board.log, "info", f"line {number}")
    page.until_text("#log", "line 99")
    page.run("document.getElementById('log').scrollTop = 0")
    page.until(lambda: not page.run("return document.getElementById('log-follow').hidden"), "the paused log")
    server.do(board.log, "info", "the new one")
    page.until_text("#log-follow", "new below")
    assert page.run("return document.getElementById('log').scrollTop") == 0
    page.click("#log-follow")
    page.until(lambda: page.run("return document.getElementById('log-follow').hidden"), "the following log")
    assert page.run("return document.getElementById('log').scrollTop") > 0


def test_the_log_filters_by_every_word(page, server):
    server.do(server.fake.boards["desk-pi"].log, "error", "needle in the hay")
    page.until_text("#log", "needle")
    page.one("#log-filter").send_keys("ERROR needle")
    page.until(lambda: len(page.all(".log-line")) == 1, "one line")
    page.one("#log-filter").send_keys(" nothing")
    page.until_text("#log-empty", "No line matches")


def test_a_flood_of_records_keeps_the_log_bounded(page, server):
    board = server.fake.boards["desk-pi"]
    server.do(lambda: [board.log("info", f"flood {number}") for number in range(5000)])
    page.until_text("#log", "flood 4999")
    assert len(page.all(".log-line")) <= 500


def test_a_function_is_called_by_hand(page):
    page.click("#call-send")
    page.until_text("#call-result", '"dark": true')


def test_a_call_that_the_handler_refuses_shows_its_error(page):
    page.tolerated.append("422")
    page.run("document.getElementById('call-data').value = '{}'")
    page.click("#call-send")
    page.until_text("#call-result", "The handler raised KeyError")


def test_a_call_with_data_that_is_not_json_is_refused_before_it_is_sent(page, server):
    page.run("document.getElementById('call-data').value = '{lux: 5'")
    page.click("#call-send")
    page.until_text("#call-result", "The event data is not JSON")
    assert not [path for path, _ in server.fake.posted if path.endswith("/call")]


@pytest.fixture
def real(serve, show):
    """The page of a board that is no simulation; its state can be asked for."""
    state = State(simulated=False)
    state.add_device("hall-pi")
    state.report("hall-pi")
    server = serve(Fake(state))
    return server, show(server, "/devices/hall-pi").ready()


def test_a_board_is_revoked_only_after_it_was_said_what_that_means(real):
    server, page = real
    page.until(lambda: page.one("[data-revoke]").is_displayed(), "the button")
    page.click("[data-revoke]")
    assert "for good" in page.text("#revoke")
    page.click("#revoke-cancel")
    page.until(lambda: not page.one("#revoke").is_displayed(), "the dialog gone")
    assert server.fake.posted == []
    page.click("[data-revoke]")
    page.click("#revoke-confirm")
    page.until_text(".presence", "revoked")
    assert server.fake.posted == [("/api/devices/hall-pi/revoke", {})]
    assert not page.run("return document.querySelector('[data-revoke]')")


def test_a_revocation_that_fails_says_so_in_the_dialog(real):
    server, page = real
    page.tolerated.append("500")
    page.click("[data-revoke]")
    server.fake.fail = True
    page.click("#revoke-confirm")
    page.until_text("#revoke-failure", "The database could not be read")


ONE, OTHER = "100000003d1b2c4f/5f0a77c1", "100000009e27a1b0/77c35f0a"
MARK, OTHER_MARK = "ab12-cd34-ef56", "0f1e-2d3c-4b5a"


@pytest.fixture(params=["desktop", "phone"])
def contested(request, serve, show):
    """The page of a device whose name two boards claim."""
    state = State(simulated=False)
    state.add_device("hall-pi")
    state.report("hall-pi")
    seen = state.devices["hall-pi"]["last_seen"]
    state.devices["hall-pi"]["boards"] = [
        {"hardware": ONE, "chosen": True, "first": seen - 90_000, "last": seen, "fingerprints": [], "named": ""},
        {"hardware": OTHER, "chosen": False, "first": seen - 600, "last": seen, "fingerprints": [MARK], "named": ""},
    ]
    server = serve(Fake(state))
    return server, show(server, "/devices/hall-pi", request.param).ready()


def test_of_two_boards_with_one_name_a_person_chooses_the_device(contested):
    server, page = contested
    page.until_text(".claims", "2 boards claim the name hall-pi")
    assert all(each in page.text(".claims") for each in (ONE, OTHER))
    page.click(f"[data-choose='{OTHER}']")
    page.until(lambda: page.run(f"return document.querySelector(`[data-choose='{ONE}']`) !== null"), "the other one")
    assert server.fake.posted == [("/api/devices/hall-pi/board", {"hardware": OTHER})]


def give_name(page, name, mark=MARK):
    page.until(lambda: page.all(f"[data-rename='{mark}']"), "the button")
    page.click(f"[data-rename='{mark}']")
    assert mark in page.text("#rename")
    page.one("#rename-name").send_keys(name)
    page.click("#rename-confirm")


def test_the_board_that_is_kept_out_is_given_a_name_of_its_own(contested):
    server, page = contested
    give_name(page, "shelf-pi")
    page.until_text(".claims", "is to be shelf-pi")
    assert not page.one("#rename").is_displayed()
    assert not page.all("[data-rename]") and not page.all("[data-choose]")
    assert server.fake.posted == [("/api/devices/hall-pi/rename", {"board": MARK, "name": "shelf-pi"})]


def test_a_name_that_is_taken_says_so_in_the_dialog_and_one_that_is_none_is_not_sent(contested):
    server, page = contested
    page.tolerated.append("422")
    give_name(page, "hall-pi")
    page.until_text("#rename-failure", "There is a device hall-pi already")
    before = list(server.fake.posted)
    page.one("#rename-name").send_keys(" Ä")
    page.click("#rename-confirm")
    assert page.run("return document.querySelector('#rename-name:invalid') !== null")
    page.click("#rename-cancel")
    page.until(lambda: not page.one("#rename").is_displayed(), "the dialog gone")
    assert server.fake.posted == before


def test_boards_with_one_serial_number_are_told_apart_and_one_with_an_old_agent_is_told_of(contested):
    server, page = contested
    page.until_text(".claims", "Give it another name")
    server.fake.state.devices["hall-pi"]["boards"][1]["fingerprints"] = [MARK, OTHER_MARK]
    page.run("document.body.dispatchEvent(new CustomEvent('lamplight:device'))")
    page.until_text(".claims", f"Several boards say that they are {OTHER}")
    give_name(page, "shelf-pi", OTHER_MARK)
    page.until_text(".claims", "is to be shelf-pi")
    server.fake.state.devices["hall-pi"]["boards"][1].update(fingerprints=[], named="")
    page.run("document.body.dispatchEvent(new CustomEvent('lamplight:device'))")
    page.until_text(".claims", "cannot be given another name yet")
    assert not page.all("[data-rename]")


def test_a_choice_that_fails_says_so(contested):
    server, page = contested
    page.tolerated.append("500")
    server.fake.fail = True
    page.click(f"[data-choose='{OTHER}']")
    page.until_text(".claims", "The database could not be read")


def test_a_name_with_one_board_shows_no_claims(page):
    assert not page.run("return document.querySelector('.claims')")


def test_a_simulated_board_cannot_be_revoked_by_accident(page):
    assert not page.run("return document.querySelector('[data-revoke]')")


def test_a_broken_trigger_and_a_held_function_are_said_and_go_when_they_are_cured(page, server):
    state = server.fake.state
    functions = state.devices["desk-pi"]["reported"]["functions"]
    well = dict(functions["night-light"])
    broken = {"trigger": "http /lamp", "error": "port 8080 is taken", "remedy": "stop the other server"}
    impaired = {**well, "state": "impaired", "triggers": [broken]}
    held = {**well, "state": "held", "last_error": "the board has no pin 'nose'"}
    server.do(state.report, "desk-pi", functions={"night-light": impaired, "nose-light": held})
    page.until_text("#state", "trigger http /lamp does not work: port 8080 is taken. stop the other server")
    page.until_text("#state", "does not run: the board has no pin 'nose'")
    assert [each.text for each in page.all("#state td.bad")] == ["impaired", "held"]
    server.do(state.report, "desk-pi", functions={"night-light": well})
    page.until(lambda: not page.all("#state td.bad"), "all well again")
