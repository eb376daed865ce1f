"""Tencent's Serverless Cloud Function: the mapping that is its context, its variables, its events and answers.

https://www.tencentcloud.com/document/product/583/31439 has the events' forms, and
https://www.tencentcloud.com/document/product/583/9210 the context's. An event with no like there comes as Tencent's
EventBridge delivers one, as a CloudEvent.
"""

import json
from collections.abc import Callable
from typing import Any

from device.event import Event, rfc3339
from device.protocol.messages import HTTP_REQUEST
from device.runtime.worker.clouds import answers, events
from device.runtime.worker.clouds.facts import Facts
from device.runtime.worker.clouds.request import HttpRequest
from device.runtime.worker.context import Context

ACCOUNT = "0000000000"
_REGION = "ap-guangzhou"
_NAMESPACE = "default"


class ScfContext(dict[str, object]):
    """The second argument of an SCF handler. `lamplight` is our own context: pins, sensors, models, state."""

    def __init__(self, facts: Facts, request_id: str, context: Context) -> None:
        environment = {"SCF_NAMESPACE": _NAMESPACE, **facts.environment}
        super().__init__(
            memory_limit_in_mb=facts.megabytes,
            time_limit_in_ms=int(facts.timeout * 1000),
            request_id=request_id,
            environment=json.dumps(environment, ensure_ascii=False),
            environ=";".join(f"{name}={value}" for name, value in environment.items()),
            function_version=str(facts.version),
            function_name=facts.function,
            namespace=_NAMESPACE,
            tencentcloud_region=_region(facts),
            tencentcloud_appid=ACCOUNT,
            tencentcloud_uin=ACCOUNT,
        )
        self.lamplight = context


def adapted(handler: Callable[..., object], facts: Facts) -> Callable[[Event, Context], object]:
    """The handler as the worker calls one."""

    def handle(event: Event, context: Context) -> object:
        request_id = events.request_id(event)
        value = handler(_event(event, facts, request_id), ScfContext(facts, request_id, context))
        return _answer(value) if event.type == HTTP_REQUEST else value

    return handle


def variables(facts: Facts) -> dict[str, str]:
    """SCF's variables."""
    return {
        "SCF_FUNCTIONNAME": facts.function,
        "SCF_FUNCTIONVERSION": str(facts.version),
        "SCF_NAMESPACE": _NAMESPACE,
        "TENCENTCLOUD_RUNENV": "SCF",
        "TENCENTCLOUD_REGION": _region(facts),
        "TENCENTCLOUD_APPID": ACCOUNT,
        "TENCENTCLOUD_UIN": ACCOUNT,
        "USER_CODE_ROOT": f"{facts.path}/",
    }


def _event(event: Event, facts: Facts, request_id: str) -> object:
    kind = events.kind(event)
    if kind == "call":
        return {} if event.data is None else event.data
    if kind == "http":
        return _http(HttpRequest(event, facts.routes), request_id)
    if kind in ("timer", "cron"):
        return _timer(event, kind)
    if kind == "file":
        return {"Records": [_file(event, facts)]}
    if kind == "mqtt":
        return {"Records": [(_ckafka if facts.messages == "ckafka" else _cmq)(event, request_id)]}
    return event.cloudevent()


def _http(request: HttpRequest, request_id: str) -> dict[str, object]:
    query = {name: every[-1] for name, every in request.queries.items()}
    return {
        "requestContext": {
            "serviceId": "lamplight",
            "path": request.route.path,
            "httpMethod": request.route.method,
            "requestId": request_id,
            "identity": {},
            "sourceIp": "",
            "stage": "release",
        },
        "headers": request.headers(titled=False),
        "body": request.body,
        "isBase64Encoded": request.encoded,
        "pathParameters": request.route.values,
        "queryStringParameters": dict(query),
        "headerParameters": {},
        "stageVariables": {"stage": "release"},
        "path": request.path,
        "queryString": query,
        "httpMethod": request.method,
    }


def _answer(value: object) -> dict[str, object]:
    """With `statusCode` it is an integrated response; any other value goes to the caller as it is."""
    if answers.has_status(value):
        return answers.described(value, "application/json")
    return answers.bare(value)


def _timer(event: Event, kind: str) -> dict[str, object]:
    time = rfc3339(events.planned(event))
    return {"Type": "Timer", "TriggerName": kind, "Time": f"{time[:19]}Z", "Message": ""}


def _file(event: Event, facts: Facts) -> dict[str, object]:
    """A record of COS: the bucket is the folder's name. `path` is ours: the file is there."""
    data: dict[str, Any] = event.data
    put = event.type.endswith(".put")
    key = f"/{ACCOUNT}/{data['folder']}/{data['name']}"
    there: dict[str, object] = {"size": data["size"], "path": data["path"]} if put else {"size": 0}
    thing: dict[str, object] = {"url": "", "meta": {}, "vid": "", "key": key, **there}
    region = _region(facts)
    bucket = {"region": region, "name": data["folder"], "appid": ACCOUNT, "cosRegion": region}
    happened: dict[str, object] = {
        "eventName": "cos:ObjectCreated:Put" if put else "cos:ObjectRemove:Delete",
        "eventVersion": "1.0",
        "eventTime": int(event.time),
        "eventSource": "qcs::cos",
        "requestParameters": {"requestSourceIP": "", "requestHeaders": {}},
        "eventQueue": f"qcs:0:scf:{region}:appid/{ACCOUNT}:default.{facts.function}.$DEFAULT",
        "reservedInfo": "",
        "reqid": 0,
    }
    stored = {"cosSchemaVersion": "1.0", "cosObject": thing, "cosBucket": bucket, "cosNotificationId": data["folder"]}
    return {"cos": stored, "event": happened}


def _cmq(event: Event, request_id: str) -> dict[str, object]:
    return {
        "CMQ": {
            "type": "topic",
            "topicOwner": ACCOUNT,
            "topicName": event.data["topic"],
            "subscriptionName": event.data["topic"],
            "publishTime": rfc3339(event.time),
            "msgId": request_id,
            "requestId": request_id,
            "msgBody": events.text(event),
            "msgTag": [],
        }
    }


def _ckafka(event: Event, request_id: str) -> dict[str, object]:
    said: dict[str, object] = {"topic": event.data["topic"], "partition": 0, "offset": 0, "msgKey": request_id}
    return {"Ckafka": {**said, "msgBody": events.text(event)}}


def _region(facts: Facts) -> str:
    return facts.variable("TENCENTCLOUD_REGION", _REGION)
