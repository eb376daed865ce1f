"""Handlers from the cloud in a real, confined worker: their surroundings, and a request from trigger to answer."""

import json
import shutil
import tempfile
import textwrap
from pathlib import Path

import pytest

from device.artifact import bundle
from device.errors import LamplightError
from device.runtime.confinement.probe import mechanisms
from device.triggers.http import answers
from tests.support import ours_below

LAMBDA = """
    import json, logging, os, time
    logger = logging.getLogger()
    logger.setLevel(logging.INFO)
    TABLE = os.environ["TABLE"]
    COLD = open("words.txt").read()

    def lambda_handler(event, context):
        logger.info("asked for %s", event.get("rawPath"))
        if event.get("fail"):
            raise KeyError("fail")
        if "requestContext" in event:
            item = event["pathParameters"]["id"]
            return {"statusCode": 200, "headers": {"Content-Type": "application/json"},
                    "body": json.dumps({"id": item, "by": context.function_name})}
        return {"table": TABLE, "cold": COLD, "zone": time.strftime("%Z"), "task": os.environ["LAMBDA_TASK_ROOT"],
                "left": context.get_remaining_time_in_millis(), "region": os.environ["AWS_REGION"],
                "lux": context.lamplight.config["lux"], "cwd": os.getcwd()}
"""
TOML = """
    name = "items"
    handler = "app.lambda_handler"
    runtime = "aws-lambda"
    [cloud]
    routes = ["GET /items/{id}"]
    [environment]
    TABLE = "things"
    TZ = "PIT-5"
    [config]
    lux = 5
"""
SCF = """
    import json, os
    def main_handler(event, context):
        print("Received event: " + json.dumps(event))
        return {"name": context["function_name"], "env": os.environ["SCF_FUNCTIONNAME"], "event": event}
"""


POWERTOOLS = """
    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
    from aws_lambda_powertools.event_handler.exceptions import NotFoundError
    from aws_lambda_powertools.logging import correlation_paths

    logger = Logger(service="todo")
    app = APIGatewayHttpResolver()
    TODO = {"1": "water the plants"}

    @app.get("/todos/<number>")
    def one(number):
        logger.info("looked up", extra={"number": number})
        if number not in TODO:
            raise NotFoundError("no such thing")
        return {"todo": TODO[number], "verbose": app.current_event.get_query_string_value("verbose", "no")}

    @app.post("/todos")
    def add():
        TODO["2"] = app.current_event.json_body["todo"]
        return Response(201, "application/json", {"number": "2"}, cookies=[])

    @logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
    def lambda_handler(event, context):
        return app.resolve(event, context)
"""


def function(folder, code, toml, name="app.py"):
    folder.mkdir(parents=True)
    (folder / "function.toml").write_text(textwrap.dedent(toml))
    (folder / name).write_text(textwrap.dedent(code))
    (folder / "words.txt").write_text("warm")
    bundle.read_function(folder)
    return folder


def test_a_lambda_handler_finds_its_surroundings_and_answers_a_request(bench, tmp_path):
    made = bench.bundle(function(tmp_path / "src" / "items-code", LAMBDA, TOML))
    bench.run(made)
    told = bench.supervisor.call("items", None)
    path = str(made.path.resolve())
    assert (told["table"], told["cold"], told["region"], told["lux"]) == ("things", "warm", "us-east-1", 5)
    assert (told["task"], told["cwd"], told["zone"]) == (path, path, "PIT")
    assert 0 < told["left"] <= 5000
    data = {"method": "GET", "path": "/items/7", "query": {}, "queries": {}, "headers": {}, "body": "", "base64": False}
    result = bench.supervisor.call("items", data, "lamplight.http.request", "http", "/items/7")
    answer = answers.response(result)
    assert (answer.status, json.loads(answer.body)) == (200, {"id": "7", "by": "items"})
    assert answer.headers == [("Content-Type", "application/json")]
    assert "root: asked for /items/7" in bench.records.texts("items")
    with pytest.raises(LamplightError) as failed:
        bench.supervisor.call("items", {"fail": True})
    assert "app.py:11 in lambda_handler" in failed.value.why


def test_an_scf_handler_has_a_mapping_for_its_context(bench, tmp_path):
    toml = 'name = "hello"\nhandler = "index.main_handler"\nruntime = "tencent-scf"\n'
    bench.run(bench.bundle(function(tmp_path / "src" / "hello-code", SCF, toml, "index.py")))
    told = bench.supervisor.call("hello", {"key1": "v"})
    assert told == {"name": "hello", "env": "hello", "event": {"key1": "v"}}
    assert 'Received event: {"key1": "v"}' in bench.records.texts("hello")


def asked(bench, method, path, body="", **queries):
    """The HTTP answer of `todos` to a request."""
    told = {name: [value] for name, value in queries.items()}
    data = {"method": method, "path": path, "query": queries, "queries": told, "headers": {"host": "pi"}}
    given = {**data, "body": body, "base64": False}
    return answers.response(bench.supervisor.call("todos", given, "lamplight.http.request", "http", path))


def test_aws_lambda_powertools_work(bench, tmp_path):
    toml = 'name = "todos"\nhandler = "app.lambda_handler"\nruntime = "aws-lambda"\nmemory = "128M"\n'
    code = bench.bundle(function(tmp_path / "src" / "todos-code", POWERTOOLS, toml))
    bench.run(bench.with_packages(code, "aws-lambda-powertools"))
    answer = asked(bench, "GET", "/todos/1", verbose="yes")
    assert (answer.status, json.loads(answer.body)) == (200, {"todo": "water the plants", "verbose": "yes"})
    assert ("Content-Type", "application/json") in answer.headers
    (line,) = [json.loads(text) for text in bench.records.texts("todos") if text.startswith("{")]
    assert (line["message"], line["function_name"], line["number"]) == ("looked up", "todos", "1")
    assert line["correlation_id"] == line["function_request_id"]
    assert asked(bench, "GET", "/todos/9").status == 404
    assert asked(bench, "DELETE", "/todos/1").status == 404
    assert json.loads(asked(bench, "POST", "/todos", '{"todo": "read"}').body) == {"number": "2"}
    assert json.loads(asked(bench, "GET", "/todos/2").body)["todo"] == "read"


def test_a_plain_function_has_its_variables_too_and_starts_in_its_scratch_folder(bench):
    code = "import os\ndef handler(event, context): return [os.environ['A'], os.path.basename(os.getcwd())]"
    bench.run(bench.function(code, toml='[environment]\nA = "b"\n'))
    assert bench.supervisor.call("f", None) == ["b", "f"]


@pytest.fixture
def board():
    """A folder for a board's files beside /tmp, as on a real one."""
    from runtime_bench import Bench

    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    bench = Bench(folder)
    yield bench
    bench.supervisor.close()
    shutil.rmtree(folder)


@pytest.mark.skipif(not mechanisms().view, reason="the kernel gives this user no root folder of a worker's own")
def test_the_folder_tmp_is_the_scratch_folder(board):
    code = """
        import os, tempfile
        from pathlib import Path
        def handler(event, context):
            Path("/tmp/cache.txt").write_text("kept")
            return [Path("cache.txt").read_text(), os.path.samefile("/tmp", os.getcwd()), os.listdir("/tmp")]
    """
    board.run(board.function(code))
    kept, same, names = board.supervisor.call("f", None)
    assert (kept, same, {*names} - ours_below("/tmp")) == ("kept", True, {"cache.txt"})
