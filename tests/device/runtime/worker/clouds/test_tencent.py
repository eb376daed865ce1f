"""Tencent SCF: events in the documented forms, the context's mapping, the answers."""

import json

import pytest
from calling import call, event, facts, request

from device.errors import LamplightError
from device.runtime.worker import clouds

SCF = facts("tencent-scf", messages="cmq", environment={"TABLE": "items"})
JSON = {"Content-Type": "application/json"}


def test_a_request_is_the_api_gateway_s():
    about = facts("tencent-scf", routes=["POST /test/{path}"])
    asked = request("POST", "/test/value", '{"test":"body"}', {"foo": ["bar"], "bob": ["alice", "carol"]})
    theirs, context, _ = call(about, asked, "ok")
    assert theirs == {
        "requestContext": {
            "serviceId": "lamplight",
            "path": "/test/{path}",
            "httpMethod": "POST",
            "requestId": context["request_id"],
            "identity": {},
            "sourceIp": "",
            "stage": "release",
        },
        "headers": {"host": "desk-pi.local:8088", "user-agent": "curl/8"},
        "body": '{"test":"body"}',
        "isBase64Encoded": False,
        "pathParameters": {"path": "value"},
        "queryStringParameters": {"foo": "bar", "bob": "carol"},
        "headerParameters": {},
        "stageVariables": {"stage": "release"},
        "path": "/test/value",
        "queryString": {"foo": "bar", "bob": "carol"},
        "httpMethod": "POST",
    }
    assert theirs["headers"]["User-Agent"] == "curl/8"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Hello World", {"status": 200, "headers": JSON, "body": "Hello World"}),
        ({"a": 1}, {"status": 200, "headers": JSON, "body": '{"a": 1}'}),
        (
            {"isBase64Encoded": False, "statusCode": 404, "headers": {"Content-Type": "text/html"}, "body": "<p>"},
            {"status": 404, "headers": {"Content-Type": ["text/html"]}, "body": "<p>"},
        ),
    ],
)
def test_an_answer_is_integrated_or_passed_through(answer, expected):
    assert call(SCF, request(), answer)[2] == expected


def test_a_malformed_answer_is_named():
    with pytest.raises(LamplightError, match="no HTTP answer"):
        call(SCF, request(), {"statusCode": 200, "body": {}})


def test_the_context_is_a_mapping():
    _, context, _ = call(SCF, event("lamplight.call"))
    assert (context["function_name"], context["function_version"], context["namespace"]) == ("lamp-api", "3", "default")
    assert (context["memory_limit_in_mb"], context["time_limit_in_ms"]) == (128, 3000)
    assert context.get("tencentcloud_region") == "ap-guangzhou"
    assert json.loads(context["environment"]) == {"SCF_NAMESPACE": "default", "TABLE": "items"}
    assert context["environ"] == "SCF_NAMESPACE=default;TABLE=items"
    json.dumps(context)
    assert context.lamplight.remaining() == 1.5


def test_timer_file_and_messages_have_their_forms():
    timer = {"Type": "Timer", "TriggerName": "timer", "Time": "2026-01-01T00:00:00Z", "Message": ""}
    assert call(SCF, event("lamplight.timer.tick", {"missed": 0}))[0] == timer
    due = event("lamplight.cron.due", {"scheduled": "2026-06-01T07:30:00+08:00", "schedule": "30 7 * * *"})
    assert call(SCF, due)[0]["Time"] == "2026-05-31T23:30:00Z"
    put = event("lamplight.file.put", {"folder": "inbox", "name": "a.jpg", "path": "/srv/inbox/a.jpg", "size": 9})
    (record,) = call(SCF, put)[0]["Records"]
    assert record["event"]["eventName"] == "cos:ObjectCreated:Put"
    thing, bucket = record["cos"]["cosObject"], record["cos"]["cosBucket"]
    # The documented way to the name within the bucket.
    key = thing["key"].replace("/" + bucket["appid"] + "/" + bucket["name"] + "/", "", 1)
    assert (key, thing["size"], thing["path"]) == ("a.jpg", 9, "/srv/inbox/a.jpg")
    (record,) = call(SCF, event("lamplight.file.removed", {"folder": "inbox", "name": "a.jpg"}))[0]["Records"]
    assert record["event"]["eventName"] == "cos:ObjectRemove:Delete"
    message = event("lamplight.mqtt.message", {"topic": "a/b", "data": "hi", "from": ""})
    (record,) = call(SCF, message)[0]["Records"]
    assert (record["CMQ"]["topicName"], record["CMQ"]["msgBody"], record["CMQ"]["type"]) == ("a/b", "hi", "topic")
    (record,) = call(facts("tencent-scf", messages="ckafka"), message)[0]["Records"]
    assert (record["Ckafka"]["topic"], record["Ckafka"]["msgBody"]) == ("a/b", "hi")


def test_a_sensor_is_a_cloudevent_and_a_call_is_passed_on():
    reading = event("lamplight.sensor.reading", {"lux": 12.5}, "sensor/light", "light")
    assert call(SCF, reading)[0] == reading.cloudevent()
    assert call(SCF, event("lamplight.call", [1]), "done")[::2] == ([1], "done")
    assert call(SCF, event("lamplight.call"))[0] == {}


def test_the_variables_are_scf_s():
    told = clouds.variables(SCF)
    assert (told["SCF_FUNCTIONNAME"], told["SCF_FUNCTIONVERSION"], told["TABLE"]) == ("lamp-api", "3", "items")
    assert (told["TENCENTCLOUD_RUNENV"], told["USER_CODE_ROOT"]) == ("SCF", "/bundle/")
