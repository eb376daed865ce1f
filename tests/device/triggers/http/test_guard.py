"""Without the token nothing is asked of a function; with it, everything is as without a guard."""

import http.client

import pytest

import boards
from device.config import HttpConfig
from device.errors import LamplightError, UsageError
from device.hal.hardware import Hardware
from device.protocol.triggers import HttpTrigger
from device.triggers import Sources
from device.triggers.http.guard import guarded, read_token
from device.triggers.http.message import Request, Response

TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def asked():
    return []


def answer(asked, authorization=None):
    def function(request, outlet):
        asked.append(request)
        return Response(200, b"lit")

    headers = {"host": "x"} | ({} if authorization is None else {"authorization": authorization})
    return guarded(function, TOKEN)(Request("GET", "/lamp", headers, b""), None)


WRONG = {
    "none": None,
    "empty": "",
    "no token": "Bearer",
    "another": "Bearer " + "f" * 32,
    "a beginning": f"Bearer {TOKEN[:-1]}",
    "more": f"Bearer {TOKEN}0",
    "another scheme": f"Basic {TOKEN}",
    "the token alone": TOKEN,
    "twice": f"Bearer {TOKEN}, Bearer {TOKEN}",
    "other letters": "Bearer \u00e9\udcff" + "0" * 30,
}


@pytest.mark.parametrize("authorization", WRONG.values(), ids=WRONG)
def test_without_the_right_token_no_function_is_asked(asked, authorization):
    refusal = answer(asked, authorization)
    assert (refusal.status, asked) == (401, [])
    assert ("WWW-Authenticate", "Bearer") in refusal.headers
    assert TOKEN.encode() not in refusal.body


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_with_it_the_function_answers_and_does_not_see_it(asked, scheme):
    assert answer(asked, f"{scheme} {TOKEN}").body == b"lit"
    assert asked[0].headers == {"host": "x"}


@pytest.mark.parametrize("text", ["", "short", " " * 40, "two words of a token", "\u00e9" * 20, "a\x00" * 20])
def test_a_token_that_is_weak_or_cannot_be_sent_is_refused(tmp_path, text):
    (tmp_path / "token").write_text(text)
    with pytest.raises(UsageError, match="16 ASCII"):
        read_token(tmp_path / "token")


@pytest.fixture
def sources(tmp_path):
    hardware = Hardware(boards.load("lamplight/simulated"), tmp_path / "world")
    settings = HttpConfig(port=0, token_file=tmp_path / "token")
    sources = Sources(hardware, lambda *_: None, http=settings)
    yield sources
    sources.close()


def test_a_served_path_asks_for_the_token_of_the_file(sources, tmp_path):
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    sources.serve(HttpTrigger("/lamp", ("GET",)), lambda *_, asked: "lit")

    def status(**headers):
        connection = http.client.HTTPConnection("127.0.0.1", sources.port, timeout=30)
        connection.request("GET", "/lamp", headers=headers)
        code = connection.getresponse().status
        connection.close()
        return code

    assert status() == 401
    assert status(Authorization=f"Bearer {TOKEN}") == 200


def test_without_its_file_nothing_is_served_instead_of_everything(sources):
    with pytest.raises(LamplightError, match="token"):
        sources.serve(HttpTrigger("/lamp", ("GET",)), lambda *_, asked: "lit")
    assert sources.port == 0
