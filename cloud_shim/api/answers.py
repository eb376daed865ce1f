"""Errors as answers, in the one form of docs/api.md."""

import logging
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ExceptionHandler

from cloud_shim.people.identity import ForbiddenError, UnknownError
from device.errors import LamplightError, NotFoundError, UsageError
from device.protocol.errors import ProtocolError

logger = logging.getLogger(__name__)

_STATUS = {2: 400, 3: 404, 4: 504, 5: 422}
"""HTTP status by the error's exit code; anything else is the shim's own failure, 500."""


def error(problem: LamplightError, status: int = 0) -> JSONResponse:
    """The answer for `problem`."""
    body = {"what": problem.what, "why": problem.why, "remedy": problem.remedy, "exit_code": problem.exit_code}
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(problem, UnknownError) else None
    return JSONResponse({"error": body}, status or _status(problem), headers)


def _status(problem: LamplightError) -> int:
    if isinstance(problem, UnknownError):
        return 401
    return 403 if isinstance(problem, ForbiddenError) else _STATUS.get(problem.exit_code, 500)


def _lamplight(_: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, LamplightError)
    return error(problem)


def _protocol(_: Request, problem: Exception) -> JSONResponse:
    return error(UsageError("The request is not as it should be", str(problem), "look it up in docs/api.md"))


def _http(request: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, HTTPException)
    if problem.status_code == HTTPStatus.NOT_FOUND:
        return error(NotFoundError(f"There is nothing at {request.url.path}", "", "look it up in docs/api.md"))
    return error(UsageError(f"{request.method} {request.url.path}: {problem.detail}"), problem.status_code)


def _unexpected(request: Request, problem: Exception) -> JSONResponse:
    logger.error("%s %s failed", request.method, request.url.path, exc_info=problem)
    return error(LamplightError("The shim failed on this request", type(problem).__name__, "look in the shim's log"))


HANDLERS: dict[type[Exception], ExceptionHandler] = {
    LamplightError: _lamplight,
    ProtocolError: _protocol,
    HTTPException: _http,
    Exception: _unexpected,
}
"""For Starlette(exception_handlers=…)."""
