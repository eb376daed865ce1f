"""AWS Lambda: the context of its Python runtime, its variables, and the choice of an event's form.

https://docs.aws.amazon.com/lambda/latest/dg/python-context.html describes the context. Its credentials are left out:
a function on a board has none of AWS.
"""

import hashlib
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from device.errors import LamplightError
from device.event import Event
from device.protocol.messages import HTTP_REQUEST
from device.runtime.worker.clouds import aws_events, aws_http, events
from device.runtime.worker.clouds.aws_http import ACCOUNT
from device.runtime.worker.clouds.facts import Facts
from device.runtime.worker.context import Context

# Code wants a region, and a board is in none; this is the one of AWS's own local tools.
_REGION = "us-east-1"


class CognitoIdentity:
    """Of a caller known to Cognito: on a board nobody is."""

    cognito_identity_id = None
    cognito_identity_pool_id = None


class LambdaContext:
    """The second argument of a Lambda handler. `lamplight` is our own context: pins, sensors, models, state."""

    def __init__(self, facts: Facts, event: Event, context: Context) -> None:
        self.function_name = facts.function
        self.function_version = str(facts.version)
        self.invoked_function_arn = f"arn:aws:lambda:{_region(facts)}:{ACCOUNT}:function:{facts.function}"
        # Text, as Lambda's own Python runtime has it.
        self.memory_limit_in_mb = str(facts.megabytes)
        self.aws_request_id = events.request_id(event)
        self.log_group_name = _group(facts)
        self.log_stream_name = _stream(facts, event.time)
        self.identity = CognitoIdentity()
        self.client_context = None
        self.lamplight = context

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the deadline, 0 after it."""
        return max(0, int(self.lamplight.remaining() * 1000))

    def log(self, msg: object) -> None:
        """A line in the function's log."""
        self.lamplight.log.info("%s", msg)


def adapted(handler: Callable[..., object], facts: Facts) -> Callable[[Event, Context], object]:
    """The handler as the worker calls one."""

    def handle(event: Event, context: Context) -> object:
        theirs = LambdaContext(facts, event, context)
        return _result(event, handler(_event(event, facts, theirs.aws_request_id), theirs), facts)

    return handle


def variables(facts: Facts) -> dict[str, str]:
    """Lambda's variables."""
    region = _region(facts)
    return {
        "_HANDLER": facts.handler,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_FUNCTION_NAME": facts.function,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(facts.megabytes),
        "AWS_LAMBDA_FUNCTION_VERSION": str(facts.version),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": _group(facts),
        "AWS_LAMBDA_LOG_STREAM_NAME": _stream(facts, 0.0),
        "LAMBDA_TASK_ROOT": facts.path,
        # There is no X-Ray daemon to send traces to.
        "AWS_XRAY_SDK_ENABLED": "false",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }


def _event(event: Event, facts: Facts, request_id: str) -> object:
    region = _region(facts)
    kind = events.kind(event)
    if kind == "call":
        # As invoked directly: without a payload it is an empty object.
        return {} if event.data is None else event.data
    if kind == "http":
        return aws_http.event(event, request_id, facts.payload, facts.routes)
    if kind == "mqtt":
        return aws_events.message(event, request_id, region, facts.messages)
    forms = {"timer": aws_events.schedule, "cron": aws_events.schedule, "file": aws_events.file}
    return forms.get(kind, aws_events.custom)(event, request_id, region)


def _result(event: Event, value: object, facts: Facts) -> object:
    if event.type == HTTP_REQUEST:
        return aws_http.answer(value, facts.payload)
    if event.type == "lamplight.mqtt.message" and (failed := aws_events.returned(value)):
        raise LamplightError(
            "The handler gave its message back", f"batchItemFailures: {failed!r:.200}", "an event is handled once here"
        )
    return value


def _region(facts: Facts) -> str:
    return facts.variable("AWS_REGION", facts.variable("AWS_DEFAULT_REGION", _REGION))


def _group(facts: Facts) -> str:
    return f"/aws/lambda/{facts.function}"


def _stream(facts: Facts, time: float) -> str:
    day = datetime.fromtimestamp(time, UTC).strftime("%Y/%m/%d")
    return f"{day}/[{facts.version}]{hashlib.sha256(facts.path.encode()).hexdigest()[:32]}"
