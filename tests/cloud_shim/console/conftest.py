"""A fake shim for each test, one Chromium for all, and a page that no test may leave with errors or foreign requests."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import browser
from fake_shim import Fake, Server, lively
from fake_state import State


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    driver = browser.start(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


@pytest.fixture
def serve():
    """Serves a Fake; a test may make several."""
    servers = []

    def start(fake):
        servers.append(Server(fake))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def server(serve):
    return serve(lively())


@pytest.fixture
def empty():
    return Fake(State())


@pytest.fixture
def show(chromium):
    """Opens a page of a server at a size, and checks afterwards that the browser had nothing to complain of."""
    pages = []

    def opened(server, path="/devices/desk-pi", size="desktop"):
        pages.append(browser.Page(chromium, server, size))
        return pages[-1].open(path)

    yield opened
    errors = [each for page in pages for each in page.errors()]
    strangers = [each for page in pages for each in page.strangers()]
    chromium.get("about:blank")
    assert errors == []
    assert strangers == []


@pytest.fixture(params=["desktop", "phone"])
def page(request, server, show):
    """The page of a lively device, with everything loaded, at both sizes."""
    return show(server, size=request.param).ready()
