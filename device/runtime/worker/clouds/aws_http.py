"""API Gateway's events of an HTTP request, in both versions of the payload, and the answers to them. Pure.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html has their forms.
"""

from datetime import UTC, datetime

from device.event import Event
from device.runtime.worker.clouds import answers
from device.runtime.worker.clouds.request import HttpRequest

ACCOUNT = "000000000000"
_API = "lamplight"
_STAGES = {"2.0": "$default", "1.0": "Prod"}
_UNKNOWN = ("accessKey", "accountId", "caller", "cognitoAuthenticationProvider", "cognitoAuthenticationType")
_UNKNOWN_TOO = ("cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId", "user", "userArn")


def event(event: Event, request_id: str, payload: str, templates: list[str]) -> dict[str, object]:
    """The event for the handler."""
    request = HttpRequest(event, templates)
    return _first(event, request, request_id) if payload == "1.0" else _second(event, request, request_id)


def answer(value: object, payload: str) -> dict[str, object]:
    """Our answer; raises LamplightError for one that API Gateway would turn into a 502."""
    if payload == "1.0":
        return answers.described(value, "application/json")
    return answers.described(value, "text/plain; charset=utf-8") if answers.has_status(value) else answers.bare(value)


def _second(event: Event, request: HttpRequest, request_id: str) -> dict[str, object]:
    """Version 2.0: a field with nothing in it is left out."""
    key = f"{request.route.method} {request.route.path}" if request.routed else "$default"
    http = {
        "method": request.method,
        "path": request.path,
        "protocol": "HTTP/1.1",
        "sourceIp": "",
        "userAgent": request.header("user-agent"),
    }
    made: dict[str, object] = {
        "version": "2.0",
        "routeKey": key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": request.headers(titled=False, without=("cookie",)),
        "requestContext": {**_context(event, request, request_id, "2.0"), "http": http, "routeKey": key},
        "isBase64Encoded": request.encoded,
    }
    optional = {
        "cookies": request.cookies,
        "queryStringParameters": {name: ",".join(every) for name, every in request.queries.items()},
        "pathParameters": request.route.values,
        "body": request.body,
    }
    return {**made, **{name: value for name, value in optional.items() if value}}


def _first(event: Event, request: HttpRequest, request_id: str) -> dict[str, object]:
    """Version 1.0: a field with nothing in it is None."""
    headers = request.headers(titled=True)
    identity = {
        **dict.fromkeys((*_UNKNOWN, *_UNKNOWN_TOO)),
        "sourceIp": "",
        "userAgent": request.header("user-agent"),
    }
    more = {
        "extendedRequestId": request_id,
        "httpMethod": request.method,
        "identity": identity,
        "path": request.path,
        "protocol": "HTTP/1.1",
        "requestTime": _clock(event.time),
        "requestTimeEpoch": int(event.time * 1000),
        "resourceId": f"{request.route.method} {request.route.path}",
        "resourcePath": request.route.path,
    }
    return {
        "version": "1.0",
        "resource": request.route.path,
        "path": request.path,
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: every[-1] for name, every in request.queries.items()} or None,
        "multiValueQueryStringParameters": request.queries or None,
        "requestContext": {**_context(event, request, request_id, "1.0"), **more},
        "pathParameters": request.route.values or None,
        "stageVariables": None,
        "body": request.body or None,
        "isBase64Encoded": request.encoded,
    }


def _context(event: Event, request: HttpRequest, request_id: str, payload: str) -> dict[str, object]:
    """The parts that both versions tell."""
    times = {"time": _clock(event.time), "timeEpoch": int(event.time * 1000)} if payload == "2.0" else {}
    return {
        "accountId": ACCOUNT,
        "apiId": _API,
        "domainName": request.host,
        "domainPrefix": request.host.partition(".")[0],
        "requestId": request_id,
        "stage": _STAGES[payload],
        **times,
    }


def _clock(time: float) -> str:
    """As a web server's log has it."""
    return datetime.fromtimestamp(time, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
