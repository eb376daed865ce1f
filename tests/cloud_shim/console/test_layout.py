"""How the pages stand at phone and desktop width: nothing wider than the screen, nothing that jumps, everything named."""

import pytest
from fake_shim import lively

pytestmark = pytest.mark.e2e

WIDER = "return document.documentElement.scrollWidth > innerWidth"
UNNAMED = """
return [...document.querySelectorAll("button, select, input, textarea, a[href]")]
  .filter((e) => !e.hidden && !e.closest("[hidden]") && !e.textContent.trim() && !e.labels?.length && !e.ariaLabel)
  .map((e) => e.outerHTML);
"""
SHIFTS = """
const done = arguments[arguments.length - 1];
new PerformanceObserver((list) => done(list.getEntries().filter((e) => !e.hadRecentInput).reduce((sum, e) => sum + e.value, 0)))
  .observe({ type: "layout-shift", buffered: true });
setTimeout(() => done(0), 500);
"""
CONTRAST = """
const bright = (text) => {
  const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const surface = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (c !== "rgba(0, 0, 0, 0)") return c; } };
return [...document.querySelectorAll("main *, header *")]
  .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) && e.checkVisibility() && !e.closest(":disabled, noscript, .cm-activeLine, .cm-activeLineGutter"))
  .map((e) => { const [a, b] = [bright(getComputedStyle(e).color), bright(surface(e))]; return [e.className + ": " + e.textContent.trim().slice(0, 30), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]; })
  .filter(([, ratio]) => ratio < 4.5);
"""


def worst(server):
    """A device with everything long and wrong at once."""
    state = server.fake.state
    reported = state.devices["desk-pi"]["reported"]
    state.devices["desk-pi"]["desired"]["generation"] = 8
    state.devices["desk-pi"]["desired"]["functions"]["night-light"]["config"] = {"k" * 60: "v" * 200}
    reported["update"] |= {"generation": 8, "state": "REJECTED", "reason": "r" * 3000}
    reported["functions"]["night-light"]["last_error"] = "e" * 2000
    server.do(state.report, "desk-pi", sensors={"light": {"ok": False, "error": "s" * 900}})
    server.do(server.fake.boards["desk-pi"].log, "error", "l" * 5000)


@pytest.mark.parametrize("size", ["desktop", "phone", "narrow"])
def test_no_text_however_long_makes_the_page_wider_than_the_screen(server, show, size):
    page = show(server, size=size).ready()
    assert not page.run(WIDER)
    worst(server)
    page.until_text("#log", "l" * 5000)
    page.until_text("#state", "e" * 2000)
    assert not page.run(WIDER)


@pytest.mark.parametrize("size", ["desktop", "narrow"])
def test_the_list_of_devices_fits_the_screen(serve, show, size):
    fake = lively()
    fake.state.add_device("a" * 63)
    server = serve(fake)
    worst(server)
    page = show(server, "/", size)
    page.until_text("#devices", "was rejected")
    assert not page.run(WIDER)


def test_every_control_has_a_name(page):
    assert page.run(UNNAMED) == []


def test_nothing_jumps_while_the_page_fills_and_lives(page):
    page.until(lambda: int(page.one("#plot").get_attribute("data-points") or 0) > 400, "the stored readings")
    assert page.driver.execute_async_script(SHIFTS) < 0.05


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_holds_the_contrast_of_wcag_aa(server, show, chromium, scheme):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    page = show(server).ready()
    worst(server)
    page.until_text("#state", "e" * 2000)
    page.run("document.querySelector('.readout').dataset.stale = 'false'")
    assert page.run(CONTRAST) == []
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
