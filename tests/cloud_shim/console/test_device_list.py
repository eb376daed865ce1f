"""The list of many devices in a real browser: finding those that one looks for."""

import pytest
from fake_shim import lively

pytestmark = pytest.mark.e2e


@pytest.fixture
def fleet(serve, show):
    """A page of 40 devices beside one that is online, and its server."""
    fake = lively()
    for number in range(40):
        fake.state.add_device(f"shelf-{number:02}", online=False)
    server = serve(fake)
    page = show(server, "/")
    page.until_text("#device-count", "41 in all, 1 online")
    return page, server


def shown(page):
    return [each.get_attribute("data-device") for each in page.all("[data-device]") if each.is_displayed()]


def test_the_list_is_filtered_by_every_word_in_any_order(fleet):
    page, _ = fleet
    page.one("#device-filter").send_keys("Offline shelf-1")
    page.until_text("#device-count", "10 of 41 match")
    assert shown(page) == [f"shelf-1{number}" for number in range(10)]
    page.one("#device-filter").send_keys(" nowhere")
    page.until_text("#device-count", "0 of 41 match")
    assert shown(page) == []


def test_a_list_that_is_renewed_stays_filtered(fleet):
    page, server = fleet
    page.one("#device-filter").send_keys("shelf-3")
    page.until_text("#device-count", "10 of 41 match")
    server.do(server.fake.state.add_device, "shelf-399")
    page.until_text("#device-count", "11 of 42 match")
    assert "shelf-399" in shown(page) and "desk-pi" not in shown(page)
