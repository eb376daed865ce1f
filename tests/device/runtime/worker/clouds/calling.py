"""Calls a cloud's handler with our events, as the worker does."""

from types import SimpleNamespace

from device.event import Event
from device.runtime.worker import clouds
from device.runtime.worker.clouds.facts import Facts

TIME = 1767225600.25
MIB = 1024 * 1024


def facts(runtime, **more):
    given = {"payload": "2.0", "messages": "", "memory": 128 * MIB, "timeout": 3.0, "path": "/bundle", **more}
    return Facts(runtime=runtime, function="lamp-api", version=3, handler="app.handler", **given)


def event(type, data=None, source="x", subject=""):
    return Event("lamp-api-7", f"/home/desk-pi/12-9f3a61c2/{source}", type, TIME, data, subject)


def request(method="GET", path="/items/7", body="", queries=None, headers=None, base64=False):
    queries = queries or {}
    query = {name: every[-1] for name, every in queries.items()}
    told = {"host": "desk-pi.local:8088", "user-agent": "curl/8", **(headers or {})}
    data = {"method": method, "path": path, "query": query, "queries": queries, "headers": told, "body": body}
    return event("lamplight.http.request", {**data, "base64": base64}, "http", path)


def call(about, ours, answer=None, remaining=1.5):
    """What the handler was given, and our result of its `answer`."""
    given = []

    def handler(theirs, context):
        given.extend((theirs, context))
        return answer(theirs, context) if callable(answer) else answer

    logged = []
    log = SimpleNamespace(info=lambda text, *arguments: logged.append(text % arguments))
    context = SimpleNamespace(remaining=lambda: remaining, log=log, logged=logged)
    result = clouds.adapted(handler, about)(ours, context)
    return given[0], given[1], result
