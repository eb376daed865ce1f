"""The events of a function of SCF, in a serverless.yml of either form. Values are known by now (values.py)."""

from typing import Any

from cloud_shim.cli.moving.sources import DEFAULT, Sources
from cloud_shim.cli.moving.yaml_file import Table, listed
from device.protocol.cloud import ANY


def take(sources: Sources, event: Any, payload: str) -> None:
    """One event: `{timer: {name, parameters}}`. `payload` is AWS's, and has no meaning here."""
    if not isinstance(event, Table) or len(event) != 1:
        sources.leave(0, f"the event {event!s:.40}", "a board has no such source")
        return
    ((kind, value),) = event.items()
    line = event.at(kind)
    told = value if isinstance(value, Table) else Table(line)
    parameters = told.table("parameters") or told
    if parameters.get("enable") is False:
        sources.leave(line, f"the event {kind}", "it is switched off")
    elif kind in _TAKE:
        _TAKE[kind](sources, line, parameters)
    else:
        sources.leave(line, f"the event {kind:.40}", "a board has no such source")


def _gateway(sources: Sources, line: int, parameters: Table) -> None:
    each = [one for one in listed(parameters.get("endpoints")) if isinstance(one, Table)]
    for one in each or [parameters]:
        method = one.get("method", one.get("httpMethod", ANY))
        sources.http(line, str(method), str(one.get("path", DEFAULT)))


def _timer(sources: Sources, line: int, parameters: Table) -> None:
    if parameters.get("argument"):
        sources.leave(line, "the timer's argument", "Message is empty here")
    sources.scf_timer(line, parameters.get("cronExpression", ""))


def _bucket(sources: Sources, line: int, parameters: Table) -> None:
    said = parameters.table("filter")
    # "photos-1250000000.cos.ap-guangzhou.myqcloud.com"
    bucket = str(parameters.get("bucket", "bucket")).partition(".cos.")[0]
    sources.bucket(line, bucket, str(said.get("prefix", "")), str(said.get("suffix", "")))


def _cmq(sources: Sources, line: int, parameters: Table) -> None:
    sources.messages(line, "cmq", str(parameters.get("name", "topic")))


def _ckafka(sources: Sources, line: int, parameters: Table) -> None:
    sources.messages(line, "ckafka", str(parameters.get("topic", "topic")))


_TAKE = {
    "apigw": _gateway,
    "timer": _timer,
    "cos": _bucket,
    "cmq": _cmq,
    "ckafka": _ckafka,
}
