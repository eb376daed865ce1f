"""Bodies beyond the places, and slow ones. The app and its events are the test's own."""

import asyncio
from types import SimpleNamespace

import pytest

from cloud_shim.api.bodies import LARGE, Bodies, Places
from cloud_shim.api.requests import MAX_JSON
from device.errors import RejectedError


def scope(length, holder="owner"):
    headers = [(b"content-length", str(length).encode())] if length is not None else [(b"transfer-encoding", b"x")]
    return {"type": "http", "headers": headers, "state": {"identity": SimpleNamespace(name=holder)}}


class App:
    """Counts the requests inside; each stays until `leave` is set."""

    def __init__(self):
        self.inside = []
        self.most = 0
        self.leave = asyncio.Event()

    async def __call__(self, scope, receive, send):
        self.inside.append(scope["state"]["identity"].name)
        self.most = max(self.most, len(self.inside))
        await self.leave.wait()
        self.inside.remove(scope["state"]["identity"].name)


async def nothing():
    return {"type": "http.request", "body": b"", "more_body": False}


async def settled():
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize("length", [MAX_JSON + 1, 10**9, None])
def test_one_sender_holds_half_of_the_places_and_another_gets_in_beside_it(length):
    async def run():
        app = App()
        bodies, sent = Bodies(app), []

        async def send(message):
            sent.append(message)

        uploads = [asyncio.create_task(bodies(scope(length, "mallory"), nothing, send)) for _ in range(6)]
        await settled()
        uploads.append(asyncio.create_task(bodies(scope(length, "ann"), nothing, send)))
        await settled()
        assert sorted(app.inside) == ["ann", "mallory"]
        # A small one passes large ones that wait.
        uploads.append(asyncio.create_task(bodies(scope(5, "mallory"), nothing, send)))
        await settled()
        assert sorted(app.inside) == ["ann", "mallory", "mallory"]
        app.leave.set()
        await asyncio.gather(*uploads)
        assert app.most == LARGE + 1
        assert app.inside == sent == []

    asyncio.run(run())


def test_a_request_without_a_place_in_time_is_told_so():
    async def run():
        app, sent = App(), []
        bodies = Bodies(app, grace=0.05)

        async def send(message):
            sent.append(message)

        first = asyncio.create_task(bodies(scope(None), nothing, send))
        await settled()
        await bodies(scope(None), nothing, send)
        assert sent[0]["status"] == 503
        assert b"other uploads" in sent[1]["body"]
        app.leave.set()
        await first

    asyncio.run(run())


def test_a_place_is_free_again_after_a_failure_and_after_a_sender_that_left():
    async def run():
        async def failing(scope, receive, send):
            raise ValueError

        bodies = Bodies(failing, grace=0.05)
        for _ in range(3):
            with pytest.raises(ValueError, match=r"^$"):
                await bodies(scope(None), nothing, nothing)
        places = Places(2, grace=3600)
        assert await places.take("ann")
        leaving = asyncio.create_task(places.take("ann"))
        await settled()
        # Its place comes free in the moment in which it leaves.
        places.give_back("ann")
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        assert await places.take("ann")

    asyncio.run(run())


def test_an_endpoint_that_times_out_is_not_taken_for_a_wait():
    async def app(scope, receive, send):
        raise TimeoutError

    with pytest.raises(TimeoutError):
        asyncio.run(Bodies(app)(scope(5), nothing, nothing))


@pytest.mark.parametrize("trickle", [False, True])
def test_a_body_that_stalls_or_trickles_is_given_up(trickle):
    async def run():
        async def receive():
            await asyncio.sleep(0.01 if trickle else 3600)
            return {"type": "http.request", "body": b"a", "more_body": True}

        async def app(scope, receive, send):
            while True:
                await receive()

        with pytest.raises(RejectedError, match="too slowly"):
            await Bodies(app, grace=0.1)(scope(10), receive, lambda message: None)

    asyncio.run(run())


def test_the_wait_after_the_whole_body_has_no_end():
    """An answer may take long; only then does `receive` tell that the sender has left."""

    async def run():
        parts = [b"a", b"b"]

        async def receive():
            if parts:
                return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}
            await asyncio.sleep(0.1)
            return {"type": "http.disconnect"}

        async def app(scope, receive, send):
            got = [await receive() for _ in range(3)]
            assert got[-1] == {"type": "http.disconnect"}

        await Bodies(app, grace=0.02)(scope(2), receive, lambda message: None)

    asyncio.run(run())
