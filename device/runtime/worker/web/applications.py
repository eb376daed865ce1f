"""Tells a web application from a handler, by its parameters, and makes a handler of it.

PEP 3333 has an application called as app(environ, start_response); ASGI 3 as await app(scope, receive, send).
"""

import inspect
from collections.abc import Callable
from typing import Any

from device.runtime.worker.coroutines import Coroutines

_ASGI = 3
_START_RESPONSE = "start_response"


def adapted(found: Callable[..., Any], coroutines: Coroutines) -> Callable[..., object]:
    """`found` itself, or a handler that passes HTTP requests on to it."""
    names = _required(found)
    if len(names) == _ASGI and _is_async(found):
        # Imported here: a plain function must not pay for it.
        from device.runtime.worker.web import asgi

        return asgi.handler(found, coroutines)
    if names[1:2] == [_START_RESPONSE]:
        from device.runtime.worker.web import wsgi

        return wsgi.handler(found)
    return found


def _required(found: Callable[..., Any]) -> list[str]:
    """The names of the positional parameters without a default."""
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        return []
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [each.name for each in parameters if each.kind in positional and each.default is inspect.Parameter.empty]


def _is_async(found: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(found) or inspect.iscoroutinefunction(getattr(found, "__call__", None))  # noqa: B004
