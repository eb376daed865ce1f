"""AWS Lambda: events in the documented forms, the context, the answers; handlers written anew after the documents."""

import http
import json
import uuid

import pytest
from calling import call, event, facts, request

from device.errors import LamplightError
from device.runtime.worker import clouds

AWS = facts("aws-lambda", messages="sqs")
FIRST = facts("aws-lambda", payload="1.0")
ROUTED = {"routes": ["GET /items/{id}", "POST /items"]}
OK = {"statusCode": 200}
NO_TYPE = {"Content-Type": ["text/plain; charset=utf-8"]}


def test_a_request_has_the_form_of_payload_2():
    asked = request(
        "POST",
        "/items",
        '{"a": 1}',
        {"q": ["1", "2"], "empty": [""]},
        {"cookie": "a=1; b=2", "content-type": "application/json", "x-twice": "1, 2"},
    )
    theirs, context, _ = call(facts("aws-lambda", **ROUTED), asked, OK)
    assert theirs == {
        "version": "2.0",
        "routeKey": "POST /items",
        "rawPath": "/items",
        "rawQueryString": "q=1&q=2&empty=",
        "cookies": ["a=1", "b=2"],
        "headers": {
            "host": "desk-pi.local:8088",
            "user-agent": "curl/8",
            "content-type": "application/json",
            "x-twice": "1, 2",
        },
        "queryStringParameters": {"q": "1,2", "empty": ""},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "lamplight",
            "domainName": "desk-pi.local:8088",
            "domainPrefix": "desk-pi",
            "http": {
                "method": "POST",
                "path": "/items",
                "protocol": "HTTP/1.1",
                "sourceIp": "",
                "userAgent": "curl/8",
            },
            "requestId": context.aws_request_id,
            "routeKey": "POST /items",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1767225600250,
        },
        "body": '{"a": 1}',
        "isBase64Encoded": False,
    }
    json.dumps(theirs)


def test_a_field_with_nothing_in_it_is_absent_in_payload_2_and_none_in_1():
    optional = {"cookies", "queryStringParameters", "pathParameters", "body"}
    assert not optional & set(call(AWS, request(), OK)[0])
    first = call(FIRST, request(), OK)[0]
    assert [first[name] for name in ("queryStringParameters", "multiValueQueryStringParameters", "body")] == [None] * 3
    assert (first["pathParameters"], first["stageVariables"]) == (None, None)


def test_a_request_has_the_form_of_payload_1():
    asked = request(queries={"q": ["1", "2"]}, body="AA==", base64=True, headers={"x-api-key": "k"})
    theirs, context, _ = call(facts("aws-lambda", payload="1.0", **ROUTED), asked, OK)
    assert (theirs["version"], theirs["resource"], theirs["path"], theirs["httpMethod"]) == (
        *("1.0", "/items/{id}"),
        *("/items/7", "GET"),
    )
    assert theirs["pathParameters"] == {"id": "7"}
    assert (theirs["queryStringParameters"], theirs["multiValueQueryStringParameters"]) == (
        {"q": "2"},
        {"q": ["1", "2"]},
    )
    assert (theirs["body"], theirs["isBase64Encoded"]) == ("AA==", True)
    assert theirs["headers"]["X-Api-Key"] == theirs["headers"]["x-api-key"] == "k"
    assert theirs["multiValueHeaders"]["X-Api-Key"] == ["k"]
    about = theirs["requestContext"]
    assert (about["requestId"], about["resourcePath"], about["httpMethod"], about["stage"]) == (
        *(context.aws_request_id, "/items/{id}"),
        *("GET", "Prod"),
    )
    assert (about["requestTimeEpoch"], about["identity"]["userAgent"]) == (1767225600250, "curl/8")
    json.dumps(theirs)


def test_a_long_body_comes_from_its_file(tmp_path):
    asked = request("POST")
    asked.data["file"] = str(tmp_path / "body")
    for body, told in ((b"text", ("text", False)), (b"\xff", ("/w==", True))):
        (tmp_path / "body").write_bytes(body)
        theirs = call(FIRST, asked, OK)[0]
        assert (theirs["body"], theirs["isBase64Encoded"]) == told


def test_headers_are_found_in_any_case_and_stay_a_dictionary():
    headers = call(AWS, request(headers={"authorization": "Bearer x"}), OK)[0]["headers"]
    assert headers["Authorization"] == headers.get("AUTHORIZATION") == headers["authorization"] == "Bearer x"
    assert "Authorization" in headers and "X-None" not in headers
    assert headers.get("X-None") is None and headers.get("X-None", "d") == "d"
    with pytest.raises(KeyError):
        headers["X-None"]
    assert isinstance(headers, dict) and json.loads(json.dumps(headers))["authorization"] == "Bearer x"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"a": 1}, {"status": 200, "headers": {"Content-Type": "application/json"}, "body": '{"a": 1}'}),
        ("hello", {"status": 200, "headers": {"Content-Type": "application/json"}, "body": "hello"}),
        (None, {"status": 200, "headers": {"Content-Type": "application/json"}, "body": "null"}),
        (OK, {"status": 200, "headers": NO_TYPE, "body": ""}),
        ({"statusCode": "201", "body": None}, {"status": 201, "headers": NO_TYPE, "body": ""}),
        ({"statusCode": http.HTTPStatus.NOT_FOUND}, {"status": 404, "headers": NO_TYPE, "body": ""}),
        (
            {
                "statusCode": 200,
                "headers": {"content-type": "image/png", "X-N": 1, "X-B": True},
                "cookies": ["a=1; Secure", "b=2"],
                "body": "AA==",
                "isBase64Encoded": True,
            },
            {
                "status": 200,
                "headers": {
                    "content-type": ["image/png"],
                    "X-N": ["1"],
                    "X-B": ["true"],
                    "Set-Cookie": ["a=1; Secure", "b=2"],
                },
                "body": "AA==",
                "base64": True,
            },
        ),
    ],
)
def test_an_answer_to_payload_2(answer, expected):
    assert call(AWS, request(), answer)[2] == expected


def test_an_answer_to_payload_1_has_several_values_of_a_header():
    answer = {
        "statusCode": 200,
        "headers": {"set-cookie": "lost=1", "X-A": "a"},
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
        "body": "{}",
    }
    headers = {"X-A": ["a"], "Set-Cookie": ["a=1", "b=2"], "Content-Type": ["application/json"]}
    assert call(FIRST, request(), answer)[2] == {"status": 200, "headers": headers, "body": "{}"}


@pytest.mark.parametrize(
    ("about", "answer", "why"),
    [
        (FIRST, {"a": 1}, "statusCode is None"),
        (FIRST, "text", "of the type str"),
        (FIRST, None, "it is None"),
        (AWS, {"statusCode": 99}, "statusCode is 99"),
        (AWS, {"statusCode": True}, "statusCode is True"),
        (AWS, {"statusCode": "²"}, "statusCode is '²'"),
        (AWS, {"statusCode": 200, "body": {"a": 1}}, "its body is of the type dict"),
        (AWS, {"statusCode": 200, "body": b"x"}, "its body is of the type bytes"),
        (AWS, {"statusCode": 200, "headers": ["a"]}, "headers are of the type list"),
        (AWS, {"statusCode": 200, "headers": {"a": None}}, "the header a is None"),
        (FIRST, {"statusCode": 200, "multiValueHeaders": {"a": "b"}}, "multiValueHeaders['a']"),
    ],
)
def test_an_answer_that_api_gateway_calls_malformed_is_named(about, answer, why):
    with pytest.raises(LamplightError) as refused:
        call(about, request(), answer)
    assert why in refused.value.why


def test_a_schedule_is_eventbridge_s():
    theirs, context, _ = call(AWS, event("lamplight.timer.tick", {"missed": 0}))
    assert theirs == {
        "version": "0",
        "id": context.aws_request_id,
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": "2026-01-01T00:00:00Z",
        "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:000000000000:rule/timer"],
        "detail": {},
    }
    due = event("lamplight.cron.due", {"scheduled": "2026-06-01T07:30:00+02:00", "schedule": "30 7 * * *"})
    assert call(AWS, due)[0]["time"] == "2026-06-01T05:30:00Z"


def test_a_file_is_an_object_of_s3():
    put = event("lamplight.file.put", {"folder": "inbox", "name": "a b.jpg", "path": "/srv/inbox/a b.jpg", "size": 9})
    (record,) = call(AWS, put)[0]["Records"]
    assert (record["eventSource"], record["eventName"]) == ("aws:s3", "ObjectCreated:Put")
    assert record["s3"]["bucket"]["name"] == "inbox"
    thing = record["s3"]["object"]
    assert (thing["key"], thing["size"], thing["path"]) == ("a+b.jpg", 9, "/srv/inbox/a b.jpg")
    gone = event("lamplight.file.removed", {"folder": "inbox", "name": "a.jpg"})
    (record,) = call(AWS, gone)[0]["Records"]
    assert record["eventName"] == "ObjectRemoved:Delete" and "size" not in record["s3"]["object"]


MESSAGE = event(
    "lamplight.mqtt.message", {"topic": "rooms/hall", "data": {"lux": 1}, "from": "/home/b"}, "mqtt", "rooms/hall"
)


def test_a_message_is_one_of_sqs_sns_or_an_iot_rule():
    theirs, context, _ = call(AWS, MESSAGE)
    (record,) = theirs["Records"]
    assert (record["messageId"], record["eventSource"]) == (context.aws_request_id, "aws:sqs")
    assert json.loads(record["body"]) == {"lux": 1}
    assert record["eventSourceARN"].endswith(":rooms-hall")
    assert record["attributes"]["SentTimestamp"] == "1767225600250"
    (record,) = call(facts("aws-lambda", messages="sns"), MESSAGE)[0]["Records"]
    assert (record["EventSource"], json.loads(record["Sns"]["Message"])) == ("aws:sns", {"lux": 1})
    assert call(facts("aws-lambda", messages="iot"), MESSAGE)[0] == {"lux": 1}


def test_a_message_that_was_given_back_is_a_failure_for_nobody_brings_it_again():
    back = {"batchItemFailures": [{"itemIdentifier": "x"}]}
    with pytest.raises(LamplightError, match="gave its message back"):
        call(AWS, MESSAGE, back)
    assert call(AWS, MESSAGE, {"batchItemFailures": []})[2] == {"batchItemFailures": []}


def test_a_sensor_is_a_custom_event_and_a_call_is_passed_on():
    reading = event("lamplight.sensor.reading", {"lux": 12.5, "window": [12.5]}, "sensor/light", "light")
    theirs = call(AWS, reading)[0]
    assert (theirs["detail-type"], theirs["detail"]["lux"]) == ("lamplight.sensor.reading", 12.5)
    assert (theirs["source"], theirs["resources"]) == ("/home/desk-pi/12-9f3a61c2/sensor/light", ["light"])
    assert call(AWS, event("lamplight.call", {"a": 1}), {"statusCode": 1})[::2] == ({"a": 1}, {"statusCode": 1})
    assert call(AWS, event("lamplight.call"))[0] == {}
    assert call(AWS, event("lamplight.start", {}))[0]["detail-type"] == "lamplight.start"


def test_the_context_is_lambda_s():
    _, context, _ = call(AWS, event("lamplight.call"))
    assert (context.function_name, context.function_version, context.memory_limit_in_mb) == ("lamp-api", "3", "128")
    assert context.invoked_function_arn == "arn:aws:lambda:us-east-1:000000000000:function:lamp-api"
    assert context.log_group_name == "/aws/lambda/lamp-api"
    assert context.log_stream_name.startswith("2026/01/01/[3]")
    assert context.get_remaining_time_in_millis() == 1500
    assert call(AWS, event("lamplight.call"), remaining=-1.0)[1].get_remaining_time_in_millis() == 0
    assert (context.client_context, context.identity.cognito_identity_id) == (None, None)
    assert str(uuid.UUID(context.aws_request_id)) == context.aws_request_id
    assert call(AWS, event("lamplight.call"))[1].aws_request_id == context.aws_request_id
    context.log("100 % sure")
    assert context.lamplight.logged == ["100 % sure"]


def test_the_variables_are_lambda_s_and_the_function_s_own_win():
    told = clouds.variables(AWS)
    assert (told["AWS_LAMBDA_FUNCTION_NAME"], told["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]) == ("lamp-api", "128")
    assert (told["LAMBDA_TASK_ROOT"], told["_HANDLER"], told["AWS_REGION"]) == ("/bundle", "app.handler", "us-east-1")
    about = facts("aws-lambda", environment={"AWS_REGION": "eu-west-1", "TABLE": "t"})
    assert (clouds.variables(about)["AWS_REGION"], clouds.variables(about)["TABLE"]) == ("eu-west-1", "t")
    assert ":eu-west-1:" in call(about, event("lamplight.call"))[1].invoked_function_arn
    assert clouds.variables(facts("python3", environment={"A": "b"})) == {"A": "b"}
