"""A shim that goes away and comes back, a failing API, an empty fleet; in a real browser."""

import pytest
from fake_shim import Fake, lively
from fake_state import State
from test_pages import CLAIM

pytestmark = pytest.mark.e2e

GONE = [
    "ERR_CONNECTION_REFUSED",
    "ERR_INCOMPLETE_CHUNKED_ENCODING",
    "ERR_CONNECTION_RESET",
    "ERR_EMPTY_RESPONSE",
    "500",
]


def lines(page, part):
    return page.run(
        "return [...document.querySelectorAll('.log-text')].filter(e => e.textContent.includes(arguments[0])).length",
        part,
    )


def refuse(server, on):
    server.do(lambda: setattr(server.fake, "refuse_streams", on))


def test_a_lost_stream_shows_a_banner_then_resumes_and_misses_nothing(page, server):
    page.tolerated += GONE
    board = server.fake.boards["desk-pi"]
    server.do(board.log, "info", "before the break")
    page.until_text("#log", "before the break")
    refuse(server, True)
    server.do(server.fake.drop_streams)
    page.until_text("#banner", "Connection to the shim lost, retrying")
    assert page.one("#banner").is_displayed()
    server.do(board.log, "info", "during the break")
    refuse(server, False)
    page.until(lambda: not page.one("#banner").is_displayed(), "no banner")
    server.do(board.log, "info", "after the break")
    page.until_text("#log", "after the break")
    assert [lines(page, f"{when} the break") for when in ("before", "during", "after")] == [1, 1, 1]


def test_a_stream_that_ends_for_a_moment_is_taken_up_without_a_gap(page, server):
    page.tolerated += GONE
    for number in range(5):
        server.do(server.fake.boards["desk-pi"].log, "info", f"line {number} of five")
        server.do(server.fake.drop_streams)
    page.until_text("#log", "line 4 of five")
    page.until(lambda: not page.one("#banner").is_displayed(), "no banner")
    assert lines(page, "of five") == 5


def test_a_failing_api_is_retried_until_it_answers(serve, show):
    fake = lively()
    server = serve(fake)
    page = show(server).ready()
    page.tolerated += GONE
    server.do(lambda: setattr(fake, "fail", True))
    server.do(fake.drop_streams)
    page.until_text("#banner", "Connection to the shim lost")
    page.click("#deploy")
    page.until_text("#outcome", "The database could not be read")
    server.do(lambda: setattr(fake, "fail", False))
    page.until(lambda: not page.one("#banner").is_displayed(), "no banner")


def test_a_device_without_functions_says_how_to_deploy_the_first(serve, show):
    state = State()
    state.add_device("desk-pi", functions=())
    page = show(serve(Fake(state)))
    page.until_text("#editor-empty", "lamplight deploy my-first --device desk-pi")
    assert page.text("#plot-empty") == "No readings yet"
    assert page.text("#log-empty") == "No log lines yet"
    assert not page.one("#deploy").is_enabled()


def test_the_first_function_is_opened_when_it_appears(serve, show):
    fake = Fake(State())
    fake.state.add_device("desk-pi", functions=())
    server = serve(fake)
    page = show(server)
    page.until_text("#editor-empty", "lamplight deploy")

    def deploy():
        fake.state.add_device("desk-pi")
        fake.state.changed("desk-pi")

    server.do(deploy)
    page.until_text("#editor", "def handler")


def test_the_list_of_devices_renews_itself_and_says_when_the_shim_is_away(serve, show):
    fake = lively()
    fake.state.add_device("attic-pi")
    server = serve(fake)
    page = show(server, "/")
    page.tolerated += GONE
    server.do(lambda: fake.state.devices["attic-pi"]["desired"].update(generation=8))
    page.until_text("[data-device=attic-pi]", "Generation 8 is on its way")
    server.do(lambda: setattr(fake, "fail", True))
    page.until(lambda: page.one("#banner").is_displayed(), "the banner")
    server.do(lambda: setattr(fake, "fail", False))
    page.until(lambda: not page.one("#banner").is_displayed(), "no banner")


def test_the_first_device_is_gone_to_when_it_appears(serve, show, empty):
    server = serve(empty)
    page = show(server, "/")
    page.until_text("#devices", "No device yet")
    server.do(empty.state.add_device, "desk-pi")
    page.until(lambda: page.driver.current_url.endswith("/devices/desk-pi"), "the device's page")
    page.ready()


def test_a_new_board_is_let_in_by_one_click_and_a_refusal_is_shown(serve, show):
    fake = lively()
    fake.state.claims = [
        {**CLAIM, "name": "hall-pi", "fingerprint": "aaaa-aaaa-aaaa", "twice": True},
        {**CLAIM, "name": "shelf-pi"},
    ]
    page = show(serve(fake), "/")
    page.tolerated += ["422"]

    def press(mark):
        # In one step: the list may be renewed between finding a button and clicking it.
        page.run("document.getElementById(arguments[0]).click()", f"accept-{mark}")

    press("aaaa-aaaa-aaaa")
    page.until_text("#decision", "Compare the fingerprints")
    press("0123-4567-89ab")
    page.until(lambda: "shelf-pi" not in page.text("#devices"), "the claim is gone")
    assert fake.posted[-1][0] == "/api/claims/0123-4567-89ab/accept"
    assert not page.one("#decision").is_displayed()
