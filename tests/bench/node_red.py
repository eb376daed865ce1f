"""The reference for messages through a function: Node-RED with one function node between an mqtt in and an mqtt out.

The npm package, installed once into a folder of the user's cache; a release that runs on Debian's Node.js. No editor,
no file nodes: what it takes to run a flow on a board. As it comes, its client leaves Nagle's algorithm on, and an
acknowledgement at QoS 1 then waits 40 ms for the other side's: what its user gets, but it hides what its runtime costs.
So it also runs with a script loaded before it that sets TCP_NODELAY on each of its sockets, and nothing else.
"""

import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

from tests.bench.home import Broker

VERSION = "4.1.15"
_SETTINGS = """module.exports = {
    flowFile: "flows.json", credentialSecret: false, disableEditor: true, httpAdminRoot: false, httpNodeRoot: false,
    uiHost: "127.0.0.1", uiPort: 0, logging: { console: { level: "info" } }
};
"""


_WITHOUT_NAGLE = """const net = require("net");
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...given) { return connect.apply(this, given).setNoDelay(true); };
"""


@contextlib.contextmanager
def running(broker: Broker, source: str, target: str, nagle: bool = True) -> Generator[int, None, None]:
    """Node-RED at work: what comes on `source` goes through its function to `target`, both at QoS 1. Its process id.

    As it comes, or without `nagle`.
    """
    program = _installed() / "node_modules" / "node-red" / "red.js"
    with tempfile.TemporaryDirectory(prefix="lamplight-node-red-") as temporary:
        folder = Path(temporary)
        (folder / "settings.js").write_text(_SETTINGS)
        (folder / "flows.json").write_text(json.dumps(_flow(broker, source, target, folder.name)))
        (folder / "nodelay.js").write_text(_WITHOUT_NAGLE)
        credentials = {"broker": {"user": broker.username, "password": broker.password}}
        (folder / "flows_cred.json").write_text(json.dumps(credentials))
        preload = [] if nagle else ["--require", str(folder / "nodelay.js")]
        command = ["node", *preload, str(program), "--userDir", str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            try:
                _wait(process)
                yield process.pid
            finally:
                process.terminate()


def _installed() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lamplight-bench" / f"node-red-{VERSION}"
    if not (cache / "node_modules" / "node-red" / "red.js").exists():
        cache.mkdir(parents=True, exist_ok=True)
        quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(["npm", "install", *quiet, f"node-red@{VERSION}"], cwd=cache, check=True, capture_output=True)
    return cache


def _wait(process: "subprocess.Popen[str]") -> None:
    assert process.stdout
    told: list[str] = []
    for line in process.stdout:
        told.append(line)
        if "Connected to broker" in line:
            return
    raise ConnectionError(f"Node-RED did not start: {''.join(told[-5:])}")


def _flow(broker: Broker, source: str, target: str, client: str) -> list[dict[str, object]]:
    connection = {"broker": broker.host, "port": str(broker.port), "protocolVersion": "4", "cleansession": True}
    at = {"qos": "1", "broker": "broker"}
    return [
        {"id": "tab", "type": "tab"},
        {"id": "broker", "type": "mqtt-broker", "clientid": client, "keepalive": "60", **connection},
        {
            **_node("in", "mqtt in", "function"),
            "topic": source,
            "qos": "1",
            "broker": "broker",
            "datatype": "auto-detect",
        },
        {**_node("function", "function", "out"), "func": "return msg;", "outputs": 1},
        {**_node("out", "mqtt out"), "topic": target, **at},
    ]


def _node(name: str, kind: str, *to: str) -> dict[str, object]:
    # Not the bare name: a value that is some node's id counts as a reference to it, also where it is a type.
    return {"id": f"n-{name}", "type": kind, "z": "tab", "wires": [[f"n-{each}" for each in to]]}
