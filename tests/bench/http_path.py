"""HTTP in → function → HTTP out, against `functions-framework` under uvicorn.

Both serve the same handler's work: a JSON body comes back as the answer. Ours passes each request from the agent to a
confined worker process and back; functions-framework calls the handler in the process that holds the socket. The
client is `wrk`: one connection for the time of a warm request, eight for requests a second (as the time for each).
"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator
from pathlib import Path

from cloud_shim.cli.up import ports
from tests.bench import home
from tests.bench.figures import Figure, spread
from tests.bench.sampling import processors

GOAL = 1.0
_PATIENCE = 60.0
_CONNECTIONS = 8
_MANIFEST = """\
name = "echo"
handler = "main:handler"
queue = 1024
[[triggers]]
type = "http"
path = "/echo"
methods = ["POST"]
"""
_CODE = "import json\ndef handler(event, context):\n    return json.loads(event.data['body'])\n"
_FRAMEWORK = """
import functions_framework.aio

@functions_framework.aio.http
async def echo(request):
    return await request.json()
"""
_SCRIPT = """
wrk.method = "POST"
wrk.body = '{"lux": 123.456, "saturated": false, "window": [101.5, 102.25, 103.125, 104.5, 105.75, 106.5, 107.0]}'
wrk.headers["Content-Type"] = "application/json"
"""


def measure(quick: bool) -> list[Figure]:
    """One request at a time and many, across processors and on one."""
    return [figure for pinned in (False, True) for figure in _measure(quick, pinned)]


def _measure(quick: bool, pinned: bool) -> list[Figure]:
    rounds, seconds = (1, 1) if quick else (7, 3)
    with processors(pinned), home.running() as running, _framework() as framework:
        bundle = home.pack(running.folder / "echo", _MANIFEST, _CODE)
        running.wait_committed(running.deploy(bundle))
        ours = f"http://127.0.0.1:{running.http_port}/echo"
        _wait(ours)
        figures: list[Figure] = []
        for connections, name in ((1, "one at a time"), (_CONNECTIONS, f"{_CONNECTIONS} connections")):
            taken = [(_wrk(ours, connections, seconds), _wrk(framework, connections, seconds)) for _ in range(rounds)]
            mine, theirs = (list(each) for each in zip(*taken, strict=True))
            against = "functions-framework under uvicorn"
            figures.append(
                Figure(f"HTTP, warm, {name}", "µs", spread(mine, 1e6), spread(theirs, 1e6), against, GOAL, pinned)
            )
    return figures


@contextlib.contextmanager
def _framework() -> Generator[str, None, None]:
    with tempfile.TemporaryDirectory(prefix="lamplight-bench-") as folder:
        (Path(folder) / "main.py").write_text(_FRAMEWORK)
        port = ports.free()
        command = [sys.executable, "-m", "uvicorn", "functions_framework.aio:app", "--port", str(port)]
        environment = {**os.environ, "FUNCTION_TARGET": "echo", "FUNCTION_SOURCE": f"{folder}/main.py"}
        quiet = ["--log-level", "warning", "--no-access-log"]
        with subprocess.Popen([*command, *quiet], env=environment) as server:
            try:
                url = f"http://127.0.0.1:{port}/"
                _wait(url)
                yield url
            finally:
                server.terminate()


def _wait(url: str) -> None:
    request = urllib.request.Request(url, b'{"ready": true}', {"Content-Type": "application/json"})
    deadline = time.monotonic() + _PATIENCE
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=5) as answer:
            if b"ready" in answer.read():
                return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{url} did not answer within {_PATIENCE:g} s")
        time.sleep(0.05)


def _wrk(url: str, connections: int, seconds: int) -> float:
    """Seconds for each request, from wrk's count of them."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_SCRIPT)
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name, url]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: .*", told)
    if failed:
        raise ConnectionError(f"{url}: {failed.group()}")
    match = re.search(r"Requests/sec:\s+([\d.]+)", told)
    if match is None:
        raise ValueError(f"wrk said no rate: {told}")
    return 1 / float(match.group(1))
