"""How the pages stand at phone and desktop width: nothing too wide, nothing that jumps, nothing faint or unnamed."""

import pytest
from fake_shim import lively

pytestmark = pytest.mark.e2e


def worst(server):
    """A device with everything long and wrong at once."""
    state = server.fake.state
    reported = state.devices["desk-pi"]["reported"]
    state.devices["desk-pi"]["desired"]["generation"] = 8
    state.devices["desk-pi"]["desired"]["functions"]["night-light"]["config"] = {"k" * 60: "v" * 200}
    reported["update"] |= {"generation": 8, "state": "REJECTED", "reason": "r" * 3000}
    broken = {"trigger": "http /" + "t" * 200, "error": "x" * 900, "remedy": "y" * 300}
    reported["functions"]["night-light"] |= {"state": "impaired", "last_error": "e" * 2000, "triggers": [broken]}
    server.do(state.report, "desk-pi", sensors={"light": {"ok": False, "error": "s" * 900}})
    server.do(server.fake.boards["desk-pi"].log, "error", "l" * 5000)


@pytest.mark.parametrize("size", ["desktop", "phone", "narrow"])
def test_no_text_however_long_makes_the_page_wider_than_the_screen(server, show, size):
    page = show(server, size=size).ready()
    assert not page.probe("tooWide()")
    worst(server)
    page.until_text("#log", "l" * 5000)
    page.until_text("#state", "e" * 2000)
    assert not page.probe("tooWide()")


@pytest.mark.parametrize("size", ["desktop", "phone", "narrow"])
def test_a_long_note_is_not_written_over_the_lamps(server, show, size):
    page = show(server, size=size).ready()
    trouble = "no reading from the tsl2561 at address 0x39 on bus i2c. check its wiring, " * 5
    server.do(server.fake.state.report, "desk-pi", sensors={"light": {"ok": False, "error": trouble}})
    page.until_text("#light-note", "check its wiring")
    assert page.probe("overwritten()") == []
    server.do(server.fake.state.drive, "desk-pi", "garden-pump-relay", True, "cooler")
    server.do(server.fake.state.changed, "desk-pi")
    page.until_text("#outputs", "garden-pump-relay")
    assert page.probe("overwritten()") == []


def test_a_usual_name_stays_in_one_line_beside_a_long_text(server, show):
    page = show(server).ready()
    trouble = "no reading from the tsl2561 at address 0x39 on bus i2c. check its wiring, " * 5
    server.do(server.fake.state.report, "desk-pi", sensors={"light": {"ok": False, "error": trouble}})
    page.until_text(".board", "check its wiring")
    lines = "const e = [...document.querySelectorAll('.board tbody th')].find((e) => e.textContent === 'button');"
    lines += "const r = document.createRange(); r.selectNodeContents(e); return r.getClientRects().length"
    assert page.run(lines) == 1


@pytest.mark.parametrize("size", ["desktop", "narrow"])
def test_the_list_of_devices_fits_the_screen(serve, show, size):
    fake = lively()
    fake.state.add_device("a" * 63)
    server = serve(fake)
    worst(server)
    page = show(server, "/", size)
    page.until_text("#devices", "was rejected")
    assert not page.probe("tooWide()")


def test_every_control_has_a_name(page):
    assert page.probe("unnamed()") == []


def test_nothing_jumps_while_the_page_fills_and_lives(page):
    page.until(lambda: int(page.one("#plot").get_attribute("data-points") or 0) > 400, "the stored readings")
    assert page.shifts() < 0.05


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_holds_the_contrast_of_wcag_aa(server, show, scheme):
    page = show(server).ready().scheme(scheme)
    worst(server)
    page.until_text("#state", "e" * 2000)
    assert page.probe("faint()") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_only_the_last_known_can_be_read_as_well(server, show, scheme):
    page = show(server).ready().scheme(scheme)
    server.do(server.fake.state.devices["desk-pi"].update, online=False)
    server.do(server.fake.state.changed, "desk-pi")
    page.until_text("#outputs", "led was off")
    page.until_text("#state", "Last known")
    assert page.probe("faint()") == []
