"""The events of EventBridge, S3, SQS, SNS and IoT rules, of our timers, files and messages. Pure.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html leads to their forms. An event with no like in AWS (a
sensor's reading, a pin's edge) comes as EventBridge delivers a custom one: `detail-type` is its type, `detail` its
data.
"""

import hashlib
from typing import Any, cast
from urllib.parse import quote_plus

from device.event import Event, rfc3339
from device.runtime.worker.clouds import events
from device.runtime.worker.clouds.aws_http import ACCOUNT


def schedule(event: Event, request_id: str, region: str) -> dict[str, object]:
    """EventBridge's scheduled event, of a timer or of cron: `time` is the moment for which it was planned."""
    rule = f"arn:aws:events:{region}:{ACCOUNT}:rule/{events.kind(event)}"
    return _bridged(request_id, "Scheduled Event", "aws.events", events.planned(event), region, [rule], {})


def custom(event: Event, request_id: str, region: str) -> dict[str, object]:
    """EventBridge's form of an event that is our own."""
    resources = [event.subject] if event.subject else []
    data: object = event.data
    detail: object = cast("object", data) if isinstance(data, dict) else {"data": data}
    return _bridged(request_id, event.type, event.source, event.time, region, resources, detail)


def file(event: Event, request_id: str, region: str) -> dict[str, object]:
    """S3's notification: the bucket is the folder's name, the key the file's. `path` is ours: the file is there."""
    data: dict[str, Any] = event.data
    put = event.type.endswith(".put")
    size: dict[str, object] = {"size": data["size"], "path": data["path"]} if put else {}
    thing: dict[str, object] = {"key": quote_plus(data["name"], safe="/"), "sequencer": _sequencer(event.time), **size}
    bucket: dict[str, object] = {
        "name": data["folder"],
        "ownerIdentity": {"principalId": ACCOUNT},
        "arn": f"arn:aws:s3:::{data['folder']}",
    }
    record: dict[str, object] = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": rfc3339(event.time),
        "eventName": "ObjectCreated:Put" if put else "ObjectRemoved:Delete",
        "userIdentity": {"principalId": "lamplight"},
        "requestParameters": {"sourceIPAddress": ""},
        "responseElements": {"x-amz-request-id": request_id, "x-amz-id-2": request_id},
        "s3": {"s3SchemaVersion": "1.0", "configurationId": data["folder"], "bucket": bucket, "object": thing},
    }
    return {"Records": [record]}


def message(event: Event, request_id: str, region: str, service: str) -> object:
    """A message as SQS, SNS or an IoT rule hands it on; the last of them gives the bare payload."""
    if service == "iot":
        return event.data["data"]
    return {"Records": [(_sns if service == "sns" else _sqs)(event, request_id, region)]}


def returned(value: object) -> list[object]:
    """The messages that an SQS handler gave back as failed."""
    failed: object = value.get("batchItemFailures") if isinstance(value, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return failed if isinstance(failed, list) else []  # pyright: ignore[reportUnknownVariableType]


def _sqs(event: Event, request_id: str, region: str) -> dict[str, object]:
    body = events.text(event)
    sent = str(int(event.time * 1000))
    return {
        "messageId": request_id,
        "receiptHandle": request_id,
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": sent,
            "SenderId": event.data.get("from") or "",
            "ApproximateFirstReceiveTimestamp": sent,
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{region}:{ACCOUNT}:{_queue(event)}",
        "awsRegion": region,
    }


def _sns(event: Event, request_id: str, region: str) -> dict[str, object]:
    topic = f"arn:aws:sns:{region}:{ACCOUNT}:{_queue(event)}"
    said: dict[str, object] = {
        "SignatureVersion": "1",
        "Timestamp": rfc3339(event.time),
        "Signature": "",
        "SigningCertUrl": "",
        "MessageId": request_id,
        "Message": events.text(event),
        "MessageAttributes": {},
        "Type": "Notification",
        "UnsubscribeUrl": "",
        "TopicArn": topic,
        "Subject": event.subject or None,
    }
    return {
        "EventVersion": "1.0",
        "EventSubscriptionArn": f"{topic}:{request_id}",
        "EventSource": "aws:sns",
        "Sns": said,
    }


def _queue(event: Event) -> str:
    """A queue's name has no "/"."""
    return str(event.data["topic"]).replace("/", "-")


def _bridged(
    request_id: str, kind: str, source: str, time: float, region: str, resources: list[str], detail: object
) -> dict[str, object]:
    return {
        "version": "0",
        "id": request_id,
        "detail-type": kind,
        "source": source,
        "account": ACCOUNT,
        # Whole seconds, as EventBridge has them.
        "time": f"{rfc3339(time)[:19]}Z",
        "region": region,
        "resources": resources,
        "detail": detail,
    }


def _sequencer(time: float) -> str:
    return f"{int(time * 1e6):018X}"
