"""What a hostile device or function could send, in a real browser: it is shown as text, and breaks nothing."""

import pytest

pytestmark = pytest.mark.e2e

EVIL = '<img src=x onerror="window.owned=1"><script>window.owned=1</script><b id=injected>bold</b>'

MALFORMED = [
    {"kind": "reading", "lux": "NaN"},
    {"kind": "reading"},
    {"kind": "decision", "pins": "led", "function": None, "version": {}},
    {"kind": "decision", "pins": None},
    {"kind": "constructor"},
    {"kind": "__proto__"},
    {"kind": "log", "level": ["x"], "text": {"a": 1}, "function": 5},
    {"kind": "update", "generation": "x", "state": "toString", "reason": None},
    {"kind": "worker"},
    {"kind": "sensor"},
    {"kind": "publish"},
]


def unharmed(page):
    return page.run("return window.owned === undefined && document.getElementById('injected') === null")


def test_html_in_log_lines_is_text(page, server):
    state = server.fake.state
    server.do(server.fake.boards["desk-pi"].log, EVIL, EVIL)
    server.do(state.emit, "desk-pi", "events", "worker", function=EVIL, version=3, what=EVIL, detail=EVIL)
    server.do(state.emit, "desk-pi", "events", "publish", function=EVIL, version=3, topic=EVIL, data={EVIL: EVIL})
    server.do(state.emit, "desk-pi", "events", "sensor", sensor=EVIL, ok=False, error=EVIL)
    page.until_text("#log", f"sensor {EVIL}")
    assert page.text("#log").count(EVIL) >= 8
    assert unharmed(page)


def test_html_in_a_devices_reasons_and_errors_is_text(page, server):
    state = server.fake.state
    reported = state.devices["desk-pi"]["reported"]
    reported["update"] |= {"generation": 8, "state": "REJECTED", "reason": EVIL}
    reported["functions"]["night-light"]["last_error"] = EVIL
    server.do(state.report, "desk-pi", sensors={"light": {"ok": False, "error": EVIL}})
    page.until_text("#state", EVIL)
    page.until_text("#light-note", EVIL)
    assert unharmed(page)


def test_html_in_an_outcome_is_text(page):
    page.replace("    dark =", "    reject = 1\n    dark =")
    page.click("#deploy")
    page.until_text("#outcome", "<b>not bold</b>")
    assert page.all("#outcome b") == []


def test_html_in_file_contents_and_names_is_text(serve, show):
    from fake_shim import lively

    fake = lively()
    fake.state.sources["desk-pi", "night-light"][3] |= {"main.py": f"# {EVIL}\n", f"{EVIL}.txt": EVIL}
    page = show(serve(fake)).ready()
    page.until_text("#editor", EVIL)
    page.until_text("#tabs", EVIL)
    assert unharmed(page)


def test_html_in_a_functions_name_and_result_is_text(serve, show):
    from fake_shim import Fake
    from fake_state import State

    state = State()
    state.add_device("desk-pi", functions=(EVIL.replace("/", ""), "night-light"))
    page = show(serve(Fake(state)))
    page.until(lambda: page.run("return document.getElementById('function').options.length") == 2, "the functions")
    page.run("document.getElementById('call-data').value = '{}'")
    page.until_text("#call-title", "<img")
    assert unharmed(page)


def test_records_with_fields_of_the_wrong_type_break_nothing(server, show):
    page = show(server).ready()
    for fields in MALFORMED:
        server.do(server.fake.state.emit, "desk-pi", "events", **fields)
    server.do(server.fake.boards["desk-pi"].log, "info", "still alive")
    page.until_text("#log", "still alive")
    count = int(page.one("#plot").get_attribute("data-points"))
    page.until(lambda: int(page.one("#plot").get_attribute("data-points")) > count, "more points")


def test_a_device_whose_clock_is_set_back_goes_on_being_plotted(server, show):
    page = show(server).ready()
    page.until(lambda: page.one("#plot").get_attribute("data-points"), "a plot")
    server.do(lambda: setattr(server.fake.boards["desk-pi"], "silent", True))
    server.do(server.fake.state.reading, "desk-pi", 50.0, 3, 1000.0)
    page.until(lambda: int(page.one("#plot").get_attribute("data-points")) < 5, "a plot of the new time")
    page.until_text("#lux", "50")


def test_content_of_another_origin_is_refused_by_the_page(server, show):
    page = show(server).ready()
    page.tolerated += ["Content Security Policy", "Content-Security-Policy", "violates"]
    page.run("const i = new Image(); i.src = 'http://127.0.0.1:9/x.png'; document.body.append(i)")
    page.run("const s = document.createElement('script'); s.textContent = 'window.owned = 1'; document.body.append(s)")
    assert unharmed(page)
