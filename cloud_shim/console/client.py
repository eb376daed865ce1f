"""Asks the shim's own HTTP API, in the same process: the pages are made from the answers any client would get.

The request goes through the app behind the page, with its checks, and needs no socket.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import httpx
from starlette.requests import Request


class ApiProblemError(Exception):
    """The API refused or failed a request: its HTTP `status` and its words (docs/api.md)."""

    def __init__(self, status: int, what: str, why: str, remedy: str) -> None:
        super().__init__(what)
        self.status = status
        self.what = what
        self.why = why
        self.remedy = remedy


async def get(request: Request, path: str) -> Mapping[str, Any]:
    """The JSON object at `path` of the app behind `request`; raises ApiProblemError for any other answer."""
    transport = httpx.ASGITransport(app=request.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=str(request.base_url)) as client:
        answer = await client.get(path, headers=_credentials(request))
    if answer.status_code != HTTPStatus.OK:
        raise _problem(answer)
    return answer.json()


def _credentials(request: Request) -> Mapping[str, str]:
    """Whatever says who looks at the page: the API is asked in this one's name."""
    return {name: request.headers[name] for name in ("authorization", "cookie") if name in request.headers}


def _problem(answer: httpx.Response) -> ApiProblemError:
    try:
        told: Mapping[str, str] = answer.json()["error"]
        return ApiProblemError(answer.status_code, told["what"], told["why"], told["remedy"])
    except (ValueError, KeyError, TypeError):
        return ApiProblemError(
            answer.status_code,
            "The shim could not answer",
            f"{answer.request.url.path} gave status {answer.status_code}",
            "See the shim's own log",
        )
