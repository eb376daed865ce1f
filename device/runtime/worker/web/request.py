"""The parts of an HTTP event that both kinds of web applications need."""

import base64
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from device.event import Event
from device.protocol.messages import HTTP_REQUEST

# The board's address is unknown to a worker; an application takes the name from the request's Host.
SERVER = ("localhost", 80)


class NotWebError(TypeError):
    """A web application was given an event of another kind."""


def data(event: Event) -> dict[str, Any]:
    """The request's data; raises NotWebError for another event."""
    if event.type != HTTP_REQUEST:
        raise NotWebError(f"a web application answers HTTP requests; this is an event of type {event.type}")
    return event.data  # pyright: ignore[reportReturnType]


def body(data: dict[str, Any]) -> bytes:
    """The bytes of the body."""
    if "file" in data:
        return Path(data["file"]).read_bytes()
    return base64.b64decode(data["body"]) if data["base64"] else data["body"].encode()


def query(data: dict[str, Any]) -> str:
    """The query, encoded anew."""
    return urlencode(data["queries"], doseq=True)


def server(headers: dict[str, str]) -> tuple[str, int]:
    """Name and port by which the client reached the board."""
    host = headers.get("host", "")
    name, _, port = host.rpartition(":")
    return (name, int(port)) if name and port.isdigit() else (host or SERVER[0], SERVER[1])
