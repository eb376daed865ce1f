"""A shim that answers over real HTTP what a test tells it to, and the command line pointed at it."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest

from cloud_shim.cli import main as cli
from cloud_shim.trust.signing import Signing
from tests import samples


class FakeShim:
    """`answers` maps "GET /api/devices" to JSON, or to a function of the request's body.

    `requests` is what came, `queries` the query with it.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {"GET /api/health": {"notices": []}}
        self.requests: list[tuple[str, Any]] = []
        self.queries: list[tuple[str, dict[str, str]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def asked(self, what: str) -> list[Any]:
        """The bodies of the requests for `what`, in order."""
        return [body for asked, body in self.requests if asked == what]

    def refuse(self, what: str, status: int, exit_code: int, text: str) -> None:
        told = {"what": text, "why": "for a reason", "remedy": "something else", "exit_code": exit_code}
        self.answers[what] = (status, {"error": told})

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        shim = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path, _, query = self.path.partition("?")
                what = f"{self.command} {path}"
                asked = json.loads(body) if self.headers.get("Content-Type") == "application/json" else body
                shim.requests.append((what, asked))
                shim.queries.append((what, dict(parse_qsl(query))))
                self._answer(*shim.look_up(what, asked))

            do_POST = do_DELETE = do_GET

            def _answer(self, status: int, answer: Any) -> None:
                stream = isinstance(answer, str)
                self.send_response(status)
                self.send_header("Content-Type", "text/event-stream" if stream else "application/json")
                self.end_headers()
                self.wfile.write((answer if stream else json.dumps(answer)).encode())

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def look_up(self, what: str, asked: Any) -> tuple[int, Any]:
        if what not in self.answers:
            missing = {"what": f"There is no {what}", "why": "", "remedy": "", "exit_code": 3}
            return 404, {"error": missing}
        answer = self.answers[what]
        answer = answer(asked) if callable(answer) else answer
        return answer if isinstance(answer, tuple) else (200, answer)


@pytest.fixture
def shim() -> Iterator[FakeShim]:
    fake = FakeShim()
    yield fake
    fake.close()


def keys_of(signing: Signing) -> dict[str, Any]:
    """The answers of /api/keys from real keys."""

    def view(_: object = None) -> dict[str, Any]:
        told = {"held": signing.held(), "director_root": signing.director_root(), "image": signing.image()}
        return {**told, "pending": signing.pending()}

    def adopt(offer: dict[str, Any]) -> dict[str, Any]:
        signing.adopt(offer)
        return view()

    return {"GET /api/keys": view, "POST /api/keys": adopt}


@pytest.fixture
def run(shim: FakeShim, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs one command line against the fake shim; gives exit code, standard output and standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = cli.run(["--url", shim.url, *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def device() -> Callable[..., dict[str, Any]]:
    """Makes a DEVICE; `reported` and what else is given goes over the defaults."""

    def make(name: str = "desk-pi", reported: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        report = {
            "board": "lamplight/simulated",
            "agent": "0.1.0",
            "boot": "1-00000000",
            "generation": 1,
            "previous": 0,
            "update": {"generation": 1, "state": "COMMITTED", "reason": "", "bytes": 0, "total": 0},
            "functions": {
                "night-light": {
                    "version": 1,
                    "sha256": "0" * 64,
                    "state": "running",
                    "restarts": 0,
                    "events": 12,
                    "errors": 0,
                    "last_error": "",
                }
            },
            "models": {},
            "sensors": {"light": {"ok": True, "error": ""}},
            "failed": {},
            "confinement": {"memory": "rlimit"},
            "disk": {"free": 12_000_000_000, "used": 1_500_000},
            "ai": True,
        }
        desired = {"generation": 1, "functions": {"night-light": {"version": 1, "config": {}}}, "models": {}}
        return {**samples.device(name, desired, {**report, **(reported or {})}), **fields}

    return make
