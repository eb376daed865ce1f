"""Editing, deploying and going back in a real browser."""

import pytest
from fake_shim import lively
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.e2e


def posted_sources(server):
    return [body["files"] for path, body in server.fake.posted if path.endswith("/source")]


def other_hand_deploys(server, version=4):
    """What a second console or the command line does: version 4 is desired and runs."""
    fake = server.fake

    def deploy():
        fake.state.sources["desk-pi", "night-light"][version] = {"main.py": "# theirs\n", "function.toml": ""}
        fake._desire("desk-pi", "night-light", version)

    server.do(deploy)


def test_the_function_is_open_with_a_tab_for_each_file(page):
    assert [tab.text for tab in page.all("[role=tab]")] == ["main.py", "function.toml"]
    assert "def handler" in page.text("#editor")
    page.click("[role=tab][data-file='function.toml']")
    page.until_text("#editor", 'handler = "main:handler"')


def test_a_deployment_is_followed_to_its_commitment(page, server):
    page.replace('["lux"] <', '["lux"] >')
    page.until_text("#opened", "v3, changed")
    page.click("#deploy")
    page.until_text("#outcome", "committed in")
    steps = [step.text for step in page.all("#outcome .steps li")]
    assert steps[0] == "packed as v4"
    assert steps[-2] == "trial"
    page.until(lambda: page.text("#opened") == "v4", "v4 as what runs")
    assert '["lux"] >' in posted_sources(server)[0]["main.py"]
    assert set(posted_sources(server)[0]) == {"main.py", "function.toml"}
    page.until_text("#state", "Up to date: generation 8")
    page.until_text("#outputs", "led on")


def test_control_s_deploys_what_was_typed(page, server):
    page.click(".cm-content")
    page.one(".cm-content").send_keys(Keys.CONTROL, Keys.END)
    page.one(".cm-content").send_keys("# typed by hand")
    ActionChains(page.driver).key_down(Keys.CONTROL).send_keys("s").key_up(Keys.CONTROL).perform()
    page.until_text("#outcome", "committed in")
    assert posted_sources(server)[0]["main.py"].endswith("# typed by hand")


def test_edits_in_both_tabs_are_sent(page, server):
    page.replace("darker", "dimmer")
    page.click("[role=tab][data-file='function.toml']")
    page.replace("threshold = 100", "threshold = 50")
    page.click("#deploy")
    page.until_text("#outcome", "committed in")
    files = posted_sources(server)[0]
    assert "dimmer" in files["main.py"]
    assert "threshold = 50" in files["function.toml"]


def test_line_ends_of_other_systems_are_kept(serve, show):
    fake = lively()
    fake.state.sources["desk-pi", "night-light"][3]["main.py"] = "one = 1\r\ntwo = 2\r\n"
    server = serve(fake)
    page = show(server).ready()
    page.replace("two", "three")
    page.click("#deploy")
    page.until_text("#outcome", "committed in")
    assert posted_sources(server)[0]["main.py"] == "one = 1\r\nthree = 2\r\n"


def test_a_syntax_error_is_refused_with_what_why_and_remedy(page):
    page.tolerated.append("422")
    page.replace("def handler", "def def handler")
    page.click("#deploy")
    page.until_text("#outcome", "night-light was not packed")
    assert "main.py, line 4" in page.text("#outcome")
    assert "Try: correct that line" in page.text("#outcome")
    assert page.text("#opened") == "v3, changed"


def test_a_rejection_with_a_long_reason_is_told_whole_and_in_plain_sight(page):
    page.replace("    dark =", "    reject = 1\n    dark =")
    page.click("#deploy")
    page.until_text("#outcome", "Rejected by the device")
    assert "line 11" in page.text("#outcome .reason")
    page.until_text("#state", "Generation 8 was rejected; nothing was changed")
    assert page.one(".head .why summary").is_displayed()


def test_a_crash_in_the_trial_is_reverted(page):
    page.replace("    dark =", "    crash = 1 / 0\n    dark =")
    page.click("#deploy")
    page.until_text("#outcome", "Reverted: the version before runs again")
    assert "crashed 3 times" in page.text("#outcome")
    page.until_text("#state", "Generation 8 was reverted; generation 7 runs again")


def test_what_was_reverted_is_tried_once_more_on_request(page, server):
    assert not page.one("#retry").is_displayed()
    page.replace("    dark =", "    crash = 1 / 0\n    dark =")
    page.click("#deploy")
    page.until_text("#outcome", "Reverted: the version before runs again")
    page.until(lambda: page.one("#retry").is_displayed(), "a Retry button")
    page.click("#retry")
    page.until_text("#outcome", "trying again, as generation 9")
    page.until_text("#outcome", "Reverted: the version before runs again")
    path, asked = server.fake.posted[-1]
    assert path.endswith("/deploy")
    assert asked == {"kind": "function", "name": "night-light", "version": 4, "retry": True}


def test_rollback_goes_back_and_opens_what_then_runs(page):
    page.replace("darker", "dimmer")
    page.click("#deploy")
    page.until_text("#outcome", "committed in")
    page.click("#rollback")
    page.until_text("#outcome", "going back, as generation 9")
    page.until_text("#outcome", "committed in")
    page.until(lambda: page.text("#opened") == "v3", "version 3 in the editor")
    assert "darker" in page.text("#editor")


def test_a_rollback_with_nothing_to_go_back_to_is_explained(page):
    page.tolerated.append("404")
    page.click("#rollback")
    page.until_text("#outcome", "There is nothing to go back to")


def test_a_newer_version_from_elsewhere_is_not_overwritten_silently(page, server):
    page.replace("darker", "dimmer")
    other_hand_deploys(server)
    page.until_text("#stale", "was given v4 meanwhile; the editor holds v3, with your changes")
    page.click("#deploy")
    page.until_text("#outcome", "Not deployed")
    assert posted_sources(server) == []
    page.click("#stale-keep")
    page.until_text("#outcome", "packed as v5")
    assert "dimmer" in posted_sources(server)[0]["main.py"]
    page.until(lambda: not page.one("#stale").is_displayed(), "no notice")


def test_a_newer_version_from_elsewhere_can_be_opened(page, server):
    other_hand_deploys(server)
    page.until_text("#stale-load", "Open v4")
    page.click("#stale-load")
    page.until_text("#editor", "# theirs")
    page.until_text("#opened", "v4")
    assert not page.one("#stale").is_displayed()


def test_a_device_that_reports_while_the_newer_version_is_opened_brings_no_notice_back(page, server):
    other_hand_deploys(server)
    page.until_text("#stale-load", "Open v4")
    server.fake.delay = 1.0
    page.click("#stale-load")
    server.do(server.fake.state.changed, "desk-pi")
    page.until_text("#editor", "# theirs")
    assert not page.one("#stale").is_displayed()


def other_hand_removes(server, *functions):
    desired = server.fake.state.devices["desk-pi"]["desired"]

    def remove():
        desired["generation"] += 1
        for function in functions:
            del desired["functions"][function]
        server.fake.state.changed("desk-pi")

    server.do(remove)


def test_a_function_that_is_removed_elsewhere_makes_room_for_the_next(serve, show):
    fake = lively()
    fake.state.devices["desk-pi"]["desired"]["functions"]["beacon"] = {"version": 9, "config": {}}
    fake.state.sources["desk-pi", "beacon"] = {9: {"main.py": "# the beacon\n"}}
    server = serve(fake)
    page = show(server).ready()
    other_hand_removes(server, "night-light")
    page.until_text("#editor", "# the beacon")
    page.until_text("#code-title", "beacon")
    page.until_text("#call-title", "Call beacon")
    assert page.text("#opened") == "v9 · not running"
    other_hand_removes(server, "beacon")
    page.until_text("#editor", "No function is deployed")
    assert page.one("#deploy").get_attribute("disabled")
    assert page.all("[role=tab]") == []
    other_hand_deploys(server)
    page.until_text("#editor", "# theirs")


def test_changes_to_a_function_that_is_removed_elsewhere_are_kept_and_not_sent_unasked(page, server):
    page.replace("darker", "dimmer")
    other_hand_removes(server, "night-light")
    page.until_text("#stale", "night-light was removed from desk-pi meanwhile")
    assert page.text("#code-title") == "night-light"
    page.click("#deploy")
    page.until_text("#outcome", "Not deployed")
    assert posted_sources(server) == []
    page.click("#stale-keep")
    page.until_text("#outcome", "committed in")
    assert "dimmer" in posted_sources(server)[0]["main.py"]
    assert not page.one("#stale").is_displayed()


def test_changes_to_a_function_that_is_removed_elsewhere_can_be_dropped(page, server):
    page.replace("darker", "dimmer")
    other_hand_removes(server, "night-light")
    page.until_text("#stale-load", "Close it, drop my changes")
    page.click("#stale-load")
    page.until_text("#editor", "No function is deployed")
    assert not page.one("#stale").is_displayed()


def test_switching_between_functions_compares_each_with_its_own_version(serve, show):
    fake = lively()
    device = fake.state.devices["desk-pi"]
    device["desired"]["functions"]["beacon"] = {"version": 9, "config": {}}
    fake.state.sources["desk-pi", "beacon"] = {9: {"main.py": "# the beacon\n"}}
    server = serve(fake)
    page = show(server).ready()
    page.one("#function option[value=beacon]").click()
    page.until_text("#opened", "v9")
    server.do(fake.state.changed, "desk-pi")
    page.until_text("#editor", "# the beacon")
    assert not page.one("#stale").is_displayed()
    page.until_text("#call-title", "Call beacon")


def test_an_offline_device_is_said_to_take_it_later(page, server):
    server.do(server.fake.state.devices["desk-pi"].update, online=False)
    server.do(server.fake.state.changed, "desk-pi")
    page.until_text("#state", "offline, last seen")
    page.replace("darker", "dimmer")
    page.click("#deploy")
    page.until_text("#outcome", "desk-pi is offline: it takes this when it is back.")
    page.until_text("#light-note", "Offline since")


def test_the_tabs_are_reached_with_arrow_keys(page):
    page.one("[role=tab][aria-selected=true]").send_keys(Keys.ARROW_RIGHT)
    page.until_text("#editor", "handler = ")
    assert page.run("return document.activeElement.dataset.file") == "function.toml"
