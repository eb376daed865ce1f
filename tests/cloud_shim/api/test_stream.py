"""The answer that never ends, towards readers that do not read."""

import asyncio

import pytest

from cloud_shim.api.stream import EventStream


class Reader:
    """An ASGI peer that takes `takes` messages and then stalls."""

    def __init__(self, takes: int) -> None:
        self.takes = takes
        self.got = []

    async def send(self, message) -> None:
        if len(self.got) == self.takes:
            await asyncio.Event().wait()
        self.got.append(message)

    async def receive(self):
        await asyncio.Event().wait()


@pytest.fixture
def endless():
    """Events without end; `made` counts them, `closed` tells that the source was ended."""

    class Source:
        made, closed = 0, False

        async def events(self):
            try:
                while True:
                    self.made += 1
                    yield b"data: x\n\n"
            finally:
                self.closed = True

    return Source()


def test_reader_that_stalls_is_dropped_and_nothing_is_piled_up_for_it(endless):
    reader = Reader(takes=10)
    asyncio.run(EventStream(endless.events(), patience=0.05)({"type": "http"}, reader.receive, reader.send))
    assert len(reader.got) == 10
    assert endless.made == 10
    assert endless.closed


def test_reader_that_leaves_ends_its_stream(endless):
    reader = Reader(takes=3)

    async def leave():
        while len(reader.got) < 3:
            await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    asyncio.run(EventStream(endless.events())({"type": "http"}, leave, reader.send))
    assert endless.closed
