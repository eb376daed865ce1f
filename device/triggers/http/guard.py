"""Guards the board's HTTP: once the operator has set a token, a request must carry it (RFC 6750, "Bearer").

It stands before every path. trigger.py chooses the function.
"""

import hmac
from dataclasses import replace
from pathlib import Path

from device.errors import UsageError
from device.triggers.http.message import Answer, Outlet, Request, Response, plain

LEAST = 16
_HEADER = "authorization"


def read_token(file: Path) -> str:
    """The token in `file`, stripped of white space around it.

    Raises OSError, or UsageError for a token too easily guessed or unfit for a header.
    """
    token = file.read_text(errors="replace").strip()
    if len(token) < LEAST or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(
            f"The token in {file} is not used",
            f"it must have at least {LEAST} ASCII characters and no spaces",
            f"write one with: openssl rand -hex 32 > {file}",
        )
    return token


def guarded(answer: Answer, token: str) -> Answer:
    """`answer`, for requests with this token alone. The token is hidden from handlers."""
    expected = token.encode()

    def judge(request: Request, outlet: Outlet) -> Response:
        scheme, _, given = request.headers.get(_HEADER, "").partition(" ")
        # The time it takes is the same however much of the token is right.
        right = hmac.compare_digest(given.strip().encode("utf-8", "replace"), expected)
        if scheme.lower() != "bearer" or not right:
            refusal = plain(401, "this board asks for a token: Authorization: Bearer ...")
            return replace(refusal, headers=[*refusal.headers, ("WWW-Authenticate", "Bearer")])
        return answer(replace(request, headers={n: v for n, v in request.headers.items() if n != _HEADER}), outlet)

    return judge
