"""The events of a function in a serverless.yml for AWS. Values are known by now (values.py)."""

from collections.abc import Callable
from typing import Any

from cloud_shim.cli.moving.sources import DEFAULT, Sources
from cloud_shim.cli.moving.yaml_file import Table, listed
from device.protocol.cloud import ANY

Take = Callable[[Sources, int, Any], None]


def take(sources: Sources, event: Any, payload: str) -> None:
    """One event: `{http: …}`; `payload` is the version of httpApi's."""
    if not isinstance(event, Table) or len(event) != 1:
        kind, value, line = str(event), "", 0
    else:
        ((kind, value),) = event.items()
        line = event.at(kind)
    if isinstance(value, Table) and value.get("enabled") is False:
        sources.leave(line, f"the event {kind}", "it is switched off")
    elif kind in ("http", "httpApi"):
        method, path = _asked(value)
        sources.http(line, method, path, "1.0" if kind == "http" else payload)
    elif kind in _TAKE:
        _TAKE[kind](sources, line, value)
    else:
        sources.leave(line, f"the event {kind:.40}", "a board has no such source")


def _asked(value: Any) -> tuple[str, str]:
    if isinstance(value, Table):
        return str(value.get("method", ANY)), str(value.get("path", DEFAULT))
    method, _, path = str(value).partition(" ")
    # `httpApi: '*'` is everything.
    return (method, path.strip()) if path else (ANY, DEFAULT)


def _schedule(sources: Sources, line: int, value: Any) -> None:
    table = value if isinstance(value, Table) else Table()
    rates = table.get("rate", []) if isinstance(value, Table) else value
    every = listed(rates) or [rates]
    if "input" in table:
        sources.leave(line, "the schedule's input", "the event is EventBridge's own")
    for rate in every:
        sources.schedule(line, rate, str(table.get("timezone", "UTC")))


def _bucket(sources: Sources, line: int, value: Any) -> None:
    if not isinstance(value, Table):
        sources.bucket(line, str(value))
        return
    said: dict[str, Any] = {}
    for rule in listed(value.get("rules")):
        said.update(rule if isinstance(rule, Table) else {})
    sources.bucket(line, str(value.get("bucket", "bucket")), str(said.get("prefix", "")), str(said.get("suffix", "")))


def _rule(sources: Sources, line: int, value: Any) -> None:
    sources.rule(line, value.get("sql", "") if isinstance(value, Table) else value)


def _topic(service: str, *keys: str) -> Take:
    def take(sources: Sources, line: int, value: Any) -> None:
        named = next((value[key] for key in keys if key in value), service) if isinstance(value, Table) else value
        sources.messages(line, service, str(named).rpartition(":")[2])

    return take


_TAKE: dict[str, Take] = {
    "schedule": _schedule,
    "s3": _bucket,
    "sqs": _topic("sqs", "queueName", "arn"),
    "sns": _topic("sns", "topicName", "arn"),
    "iot": _rule,
}
