"""Web applications as functions: Flask's and Starlette's own, and bare ones, behind the board's real HTTP server."""

import http.client
import json

import pytest
from test_trigger_set import served

from device.config import HttpConfig
from device.errors import LamplightError

METHODS = 'methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]\n'


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    bench = served(tmp_path_factory.mktemp("web"), HttpConfig(port=0))
    yield bench
    bench.supervisor.close()


def serve(bench, code, *packages):
    toml = f'memory = "128M"\n[[triggers]]\ntype = "http"\npath = "/*"\n{METHODS}'
    function = bench.function(code, toml=toml)
    bench.run(bench.with_packages(function, *packages) if packages else function)


def ask(bench, method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", bench.sources.port, timeout=60)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    result = answer.status, answer.read(), answer.headers
    connection.close()
    return result


FLASK = """
from flask import Flask, Response, jsonify, request, session

handler = Flask(__name__)
handler.secret_key = "lamp"

@handler.get("/lamp/<name>")
def lamp(name):
    return jsonify(name=name, query=request.args.getlist("a"), host=request.host, agent=request.headers["X-Mine"])

@handler.post("/echo")
def echo():
    answer = Response(request.get_data(), mimetype="application/x-echo")
    answer.set_cookie("a", "1")
    answer.set_cookie("b", "2")
    return answer

@handler.get("/count")
def count():
    session["seen"] = session.get("seen", 0) + 1
    return str(session["seen"])

@handler.get("/events")
def events():
    return Response((f"data: {n}\\n\\n" for n in range(3)), mimetype="text/event-stream")

@handler.get("/context")
def context():
    return request.environ["lamplight.context"].function

@handler.get("/fail")
def fail():
    raise ValueError("in flask")
"""

STARLETTE = """
import contextlib
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

@contextlib.asynccontextmanager
async def lifespan(app):
    yield {"started": "once"}

async def lamp(request):
    found = {"name": request.path_params["name"], "query": request.query_params.getlist("a"),
             "host": request.headers["host"], "agent": request.headers["x-mine"]}
    return JSONResponse(found)

async def echo(request):
    answer = Response(await request.body(), media_type="application/x-echo")
    answer.set_cookie("a", "1")
    answer.set_cookie("b", "2")
    return answer

async def count(request):
    return Response(request.state.started)

async def events(request):
    async def parts():
        for n in range(3):
            yield f"data: {n}\\n\\n"
    return StreamingResponse(parts(), media_type="text/event-stream")

async def context(request):
    return Response(request.scope["extensions"]["lamplight"]["context"].function)

async def fail(request):
    raise ValueError("in starlette")

routes = [Route("/lamp/{name}", lamp), Route("/echo", echo, methods=["POST"]), Route("/count", count)]
routes += [Route("/events", events), Route("/context", context), Route("/fail", fail)]
handler = Starlette(routes=routes, lifespan=lifespan)
"""


@pytest.fixture(scope="module", params=[("flask", FLASK), ("starlette", STARLETTE)], ids=["flask", "starlette"])
def application(bench, request):
    package, code = request.param
    serve(bench, code, package)
    return bench


def test_a_request_arrives_as_it_was_sent(application):
    status, body, headers = ask(application, "GET", "/lamp/desk%20one?a=1&a=%C3%B6", Host="pi.local", X_Mine="me")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body) == {"name": "desk one", "query": ["1", "\u00f6"], "host": "pi.local", "agent": "me"}


def test_bytes_go_both_ways_with_every_header(application):
    body = bytes(range(256)) * 100
    status, got, headers = ask(application, "POST", "/echo", body)
    assert (status, got) == (200, body)
    assert headers["content-type"].startswith("application/x-echo")
    assert len(headers.get_all("set-cookie")) == 2


def test_parts_are_streamed(application):
    status, body, headers = ask(application, "GET", "/events")
    assert (status, body) == (200, b"data: 0\n\ndata: 1\n\ndata: 2\n\n")
    assert headers["transfer-encoding"] == "chunked"


def test_the_application_has_its_event_and_context(application):
    assert ask(application, "GET", "/context")[1] == b"f"


def test_what_was_begun_once_is_there_for_each_request(application):
    for _ in range(2):
        assert ask(application, "GET", "/count")[1] in (b"1", b"once")


def test_errors_are_the_applications_and_so_are_unknown_paths(application):
    assert ask(application, "GET", "/fail")[0] == 500
    assert ask(application, "GET", "/none")[0] == 404
    assert ask(application, "HEAD", "/count")[1] == b""


def test_another_event_is_an_error_that_names_it(application):
    with pytest.raises(LamplightError, match=r"answers HTTP requests.*lamplight\.call"):
        application.supervisor.call("f", None)


BARE = {
    "wsgi, which returns a list": """
def handler(environ, start_response):
    start_response("201 Made", [("Content-Type", "text/plain")])
    return [environ["wsgi.input"].read()]
""",
    "wsgi, which writes": """
def handler(environ, start_response):
    write = start_response("201 Made", [("Content-Type", "text/plain")])
    write(environ["wsgi.input"].read())
    return []
""",
    "wsgi, an object": """
class Application:
    def __call__(self, environ, start_response):
        start_response("201 Made", [])
        yield environ["wsgi.input"].read()
handler = Application()
""",
    "asgi, a function": """
async def handler(scope, receive, send):
    assert scope["type"] == "http"
    message = await receive()
    await send({"type": "http.response.start", "status": 201, "headers": []})
    await send({"type": "http.response.body", "body": message["body"]})
""",
    "asgi, in parts": """
async def handler(scope, receive, send):
    assert scope["type"] == "http"
    message = await receive()
    await send({"type": "http.response.start", "status": 201})
    for byte in message["body"]:
        await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
    await send({"type": "http.response.body"})
""",
}


@pytest.mark.parametrize("code", BARE.values(), ids=BARE)
def test_a_bare_application_answers(bench, code):
    serve(bench, code)
    assert ask(bench, "POST", "/x", b"abc")[:2] == (201, b"abc")
    assert ask(bench, "POST", "/x", b"")[:2] == (201, b"")


SILENT = {
    "wsgi": "def handler(environ, start_response): return []\n",
    "asgi": "async def handler(scope, receive, send): pass\n",
    "asgi, whose startup fails": """
async def handler(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})
""",
}


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT)
def test_an_application_without_an_answer_is_an_error_in_its_log(bench, code):
    serve(bench, code)
    assert ask(bench, "GET", "/x")[0] == 500
    said = bench.records.texts("f")
    assert any("start_response" in text or "without an answer" in text or "no database" in text for text in said)
