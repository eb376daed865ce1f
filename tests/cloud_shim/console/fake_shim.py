"""A stand-in for the shim's HTTP API (docs/api.md) with a lively board behind it, to develop the console against.

By hand: `PYTHONPATH=. python tests/cloud_shim/console/fake_shim.py [PORT]`, then open the address it prints.
"""

import asyncio
import json
import socket
import sys
import threading
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

sys.path.insert(0, str(Path(__file__).parent))

from fake_board import Board
from fake_state import State

from cloud_shim import console


class Fake:
    """The API over a State. `fail` makes every API answer an error; `refuse_streams` only the stream's.

    `delay` is how many seconds a source takes.
    """

    def __init__(self, state, boards=()):
        self.state = state
        self.boards = {board.name: board for board in boards}
        self.fail = False
        self.refuse_streams = False
        self.delay = 0.0
        self.notices: list[str] = []
        self.signs = True
        self.posted: list[tuple[str, object]] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.app = Starlette(routes=[*self._api(), *console.routes()], lifespan=self._lifespan)

    @asynccontextmanager
    async def _lifespan(self, app):
        for board in self.boards.values():
            self._spawn(board.run())
        yield
        for task in self.tasks:
            task.cancel()

    def _spawn(self, work):
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def drop_streams(self):
        """Ends every open stream, as a shim that stops does."""
        for queue in self.state.listeners:
            queue.put_nowait(("end", None, {}))

    def _api(self):
        function = "/api/devices/{device}/functions/{function}"
        return [
            self._route("/api/health", self.health),
            self._route("/api/devices", self.devices),
            self._route("/api/claims", self.claims),
            self._route("/api/claims/{claim}/accept", self.decide, "POST"),
            self._route("/api/claims/{claim}/reject", self.decide, "POST"),
            self._route("/api/devices/{device}", self.device),
            self._route("/api/devices/{device}/rollback", self.rollback, "POST"),
            self._route("/api/devices/{device}/revoke", self.revoke, "POST"),
            self._route("/api/devices/{device}/board", self.choose, "POST"),
            self._route("/api/devices/{device}/rename", self.rename, "POST"),
            self._route("/api/devices/{device}/deploy", self.retry, "POST"),
            self._route(f"{function}/source", self.source),
            self._route(f"{function}/source", self.deploy, "POST"),
            self._route(f"{function}/call", self.call, "POST"),
            self._route("/api/records", self.records),
            self._route("/api/stream", self.stream),
            self._route("/api/sim/{device}", self.sim),
            self._route("/api/sim/{device}", self.set_sim, "POST"),
        ]

    def _route(self, path, handler, method="GET"):
        async def answer(request):
            name = request.path_params.get("device", request.query_params.get("device"))
            if self.fail:
                return problem(500, 1, "The database could not be read", "disk I/O error", "Look at the shim's log")
            if name is not None and name not in self.state.devices:
                return problem(404, 3, f"There is no device {name}", "", "See `lamplight devices`")
            if method == "POST":
                self.posted.append((request.url.path, await request.json()))
            result = await handler(request, name)
            return result if isinstance(result, Response) else JSONResponse(result)

        return Route(path, answer, methods=[method])

    async def health(self, request, name):
        return {"notices": self.notices, "signs_releases": self.signs}

    async def devices(self, request, name):
        return {"devices": list(self.state.devices.values())}

    async def claims(self, request, name):
        return {"claims": self.state.claims}

    async def decide(self, request, name):
        mark = request.path_params["claim"]
        if any(each["fingerprint"] == mark and each["twice"] for each in self.state.claims):
            return problem(422, 5, "Two boards ask to be that", "one is not yours", "Compare the fingerprints")
        self.state.claims = [each for each in self.state.claims if each["fingerprint"] != mark]
        return {"name": mark}

    async def device(self, request, name):
        return self.state.devices[name]

    async def revoke(self, request, name):
        self.state.devices[name].update(revoked=True, online=False)
        return {"revoked": name}

    async def choose(self, request, name):
        hardware = (await request.json())["hardware"]
        for board in self.state.devices[name]["boards"]:
            board["chosen"] = board["hardware"] == hardware
        return {"device": name, "boards": self.state.devices[name]["boards"]}

    async def rename(self, request, name):
        asked = await request.json()
        if asked["name"] in self.state.devices:
            return problem(422, 5, f"There is a device {asked['name']} already", "", "choose another name")
        for board in self.state.devices[name]["boards"]:
            if asked["board"] in board["fingerprints"]:
                board["named"] = asked["name"]
        return {"device": name, "boards": self.state.devices[name]["boards"]}

    async def source(self, request, name):
        await asyncio.sleep(self.delay)
        function = request.path_params["function"]
        versions = self.state.sources[name, function]
        version = self.state.devices[name]["desired"]["functions"][function]["version"]
        manifest = versions[version].get("function.toml", "")
        examples = [{"type": "lamplight.sensor.reading", "data": {"lux": 5.0, "window": [5.0], "saturated": False}}]
        told = {
            "triggers": [{"type": "sensor", "sensor": "light"}] if "[[triggers]]" in manifest else [],
            "outputs": ["led"] if "[pins.led]" in manifest else [],
            "examples": [*(examples if "[[triggers]]" in manifest else []), {"type": "lamplight.call", "data": None}],
        }
        return {"name": function, "version": version, "files": versions[version], **told}

    async def deploy(self, request, name):
        function = request.path_params["function"]
        files = (await request.json())["files"]
        try:
            compile(files["main.py"], "main.py", "exec")
        except SyntaxError as error:
            return problem(
                422, 5, f"{function} was not packed", f"main.py, line {error.lineno}: {error.msg}", "Correct that line"
            )
        version = max(self.state.sources[name, function]) + 1
        self.state.sources[name, function][version] = files
        return {"generation": self._desire(name, function, version), "version": version}

    async def rollback(self, request, name):
        version = self.state.devices[name]["desired"]["functions"]["night-light"]["version"]
        if version == 3:
            return problem(404, 3, "There is nothing to go back to", "No earlier generation was committed", "")
        return {"generation": self._desire(name, "night-light", version - 1)}

    async def retry(self, request, name):
        asked = await request.json()
        assert asked["retry"] is True
        return {"generation": self._desire(name, asked["name"], asked["version"])}

    def _desire(self, name, function, version):
        desired = self.state.devices[name]["desired"]
        desired["generation"] += 1
        desired["functions"][function] = {"version": version, "config": {"threshold": 100}}
        self.state.changed(name)
        if name in self.boards and self.state.devices[name]["online"]:
            self._spawn(self.boards[name].install(desired["generation"], function, version))
        return desired["generation"]

    async def call(self, request, name):
        data = (await request.json())["data"]
        if not isinstance(data, dict) or "lux" not in data:
            return problem(
                422, 5, "The handler raised KeyError: 'lux'", "main.py, line 5", "Send what the handler expects"
            )
        return {"result": {"dark": data["lux"] < 100}}

    async def records(self, request, name):
        query = request.query_params
        found = [
            each
            for each in self.state.records
            if each["device"] == name
            and query.get("stream", each["stream"]) == each["stream"]
            and each["id"] > int(query.get("after", 0))
        ]
        limit = int(query.get("limit", 100))
        return {"records": found[:limit] if "after" in query else found[-limit:]}

    async def sim(self, request, name):
        return self.state.world

    async def set_sim(self, request, name):
        change = await request.json()
        self.state.world.update(change)
        if "unplugged" in change and name in self.boards:
            self.boards[name].plug(change["unplugged"])
        return self.state.world

    async def stream(self, request, name):
        if self.refuse_streams:
            return problem(500, 1, "The stream is not available", "", "")
        last = request.headers.get("last-event-id")
        return StreamingResponse(self._events(name, int(last) if last else None), media_type="text/event-stream")

    async def _events(self, name, last):
        queue = asyncio.Queue()
        self.state.listeners.add(queue)
        try:
            yield "retry: 300\n\n"
            missed = [
                each for each in self.state.records if last is not None and each["id"] > last and each["device"] == name
            ]
            for record in missed:
                yield event("record", record["id"], record)
            while (item := await queue.get())[0] != "end":
                if item[2].get("device", item[2].get("name")) == name:
                    yield event(*item)
        finally:
            self.state.listeners.discard(queue)


def event(kind, id, body):
    head = "" if id is None else f"id: {id}\n"
    return f"{head}event: {kind}\ndata: {json.dumps(body)}\n\n"


def problem(status, exit_code, what, why, remedy):
    error = {"what": what, "why": why, "remedy": remedy, "exit_code": exit_code}
    return JSONResponse({"error": error}, status_code=status)


class Server:
    """A Fake served on a thread of its own at a free port of 127.0.0.1."""

    def __init__(self, fake, port=0):
        self.fake = fake
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(fake.app, log_level="warning", timeout_graceful_shutdown=5)
        self._server = uvicorn.Server(config)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        self._ready.wait()

    async def _serve(self):
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self._server.serve(sockets=[self._socket])

    def do(self, function, /, *args, **kwargs):
        """Runs `function` on the server's loop and gives its result."""

        async def work():
            return function(*args, **kwargs)

        return asyncio.run_coroutine_threadsafe(work(), self._loop).result()

    def wait(self):
        self._thread.join()

    def close(self):
        self._server.should_exit = True
        self.do(self.fake.drop_streams)
        self._thread.join()
        self._socket.close()


def lively(simulated=True):
    """A fake with one board that has been running for a while."""
    state = State(simulated)
    state.add_device("desk-pi")
    state.history("desk-pi")
    board = Board(state, "desk-pi")
    board.log("info", "night-light started; threshold 100 lux")
    board.log("warning", "the sensor is saturated")
    state.emit("desk-pi", "events", "worker", function="night-light", version=3, what="started", detail="")
    return Fake(state, [board])


if __name__ == "__main__":
    server = Server(lively(), int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(server.url, flush=True)
    server.wait()
