"""Makes our HTTP answer (docs/triggers.md) of a cloud's: `statusCode`, `headers`, `body` and their kin. Pure."""

from collections.abc import Mapping
from typing import Any, cast

from device.errors import LamplightError
from device.runtime.worker import values


def has_status(value: object) -> bool:
    """Whether it is an answer with all its parts, rather than a bare value."""
    return isinstance(value, dict) and "statusCode" in value


def described(value: object, content_type: str) -> dict[str, object]:
    """The answer described by the handler; `content_type` where it has none. Raises LamplightError with the fault."""
    if not isinstance(value, Mapping):
        raise _wrong(f"it is {_kind(value)}", 'return {"statusCode": 200, "body": "…"}')
    answer = cast("Mapping[str, object]", value)
    body = answer.get("body")
    if body is not None and not isinstance(body, str):
        raise _wrong(f"its body is {_kind(body)}", "make it text: json.dumps(…)")
    headers = _headers(answer)
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = [content_type]
    encoded = {"base64": True} if answer.get("isBase64Encoded") is True else {}
    return {"status": _status(answer), "headers": headers, "body": body or "", **encoded}


def bare(value: object, content_type: str = "application/json") -> dict[str, object]:
    """The answer for a bare value: a text as it is, any other value as JSON."""
    body = value if isinstance(value, str) else _json(value)
    return {"status": 200, "headers": {"Content-Type": content_type}, "body": body}


def _json(value: object) -> str:
    import json

    return json.dumps(values.sendable(value, "result"))


def _status(answer: Mapping[str, object]) -> int:
    status = answer.get("statusCode")
    if isinstance(status, str) and status.isascii() and status.isdigit():
        status = int(status)
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise _wrong(f"its statusCode is {status!r:.40}", "give a number from 200 to 599")
    # An enumeration such as http.HTTPStatus is a number, too.
    return int(status)


def _headers(answer: Mapping[str, object]) -> dict[str, list[str]]:
    """Each header's values; those of `multiValueHeaders` win over the same name in `headers`."""
    single, several = (_table(answer, key) for key in ("headers", "multiValueHeaders"))
    made = {name: [_text(name, value)] for name, value in single.items()}
    for name, each in several.items():
        if not isinstance(each, list):
            raise _wrong(f"multiValueHeaders[{name!r}] is {_kind(each)}", "give a list of texts")
        for known in [known for known in made if known.lower() == name.lower()]:
            del made[known]
        made[name] = [_text(name, one) for one in cast("list[object]", each)]
    cookies = answer.get("cookies")
    if isinstance(cookies, list):
        made["Set-Cookie"] = [_text("cookies", each) for each in cast("list[object]", cookies)]
    return made


def _table(answer: Mapping[str, object], key: str) -> dict[str, Any]:
    value = answer.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _wrong(f"its {key} are {_kind(value)}", "give a table of names and texts")
    return {str(name): each for name, each in cast("Mapping[object, object]", value).items()}


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise _wrong(f"the header {name} is {_kind(value)}", "give a text")


def _kind(value: object) -> str:
    return "None" if value is None else f"of the type {type(value).__name__}"


def _wrong(why: str, remedy: str) -> LamplightError:
    return LamplightError("The handler's answer is no HTTP answer", why, remedy)
