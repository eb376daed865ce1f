"""The shared sources of a board's triggers: sensors, pins, topics, results, the HTTP server, folders.

Each is opened when the first trigger wants it. The kinds of triggers are each in the file of their name.
"""

import contextlib
import errno
import logging
import threading
from collections.abc import Callable, Generator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from device.config import HttpConfig
from device.errors import LamplightError
from device.port_holder import holder
from device.triggers.delivery import Ask
from device.triggers.function import ResultHub
from device.triggers.gpio import PinHub
from device.triggers.http import guard
from device.triggers.http.trigger import HttpTrigger, Routes
from device.triggers.mqtt import TopicHub
from device.triggers.sensor.trigger import Emit, SensorHub

if TYPE_CHECKING:
    from device.hal.hardware import Hardware
    from device.protocol.triggers import HttpTrigger as DeclaredHttp
    from device.triggers.http.message import Answer
    from device.triggers.http.server import Server

_log = logging.getLogger(__name__)


class Sources:
    """`origin` begins the source of every event, "/<fleet>/<device>/<boot>"; `folders` are granted to file triggers.

    `user` is the one that functions share with the agent; None where they have users of their own.
    """

    def __init__(
        self,
        hardware: "Hardware",
        emit: Emit,
        origin: str = "",
        http: HttpConfig | None = None,
        folders: Mapping[str, Path] | None = None,
        user: int | None = None,
    ) -> None:
        self.origin = origin
        self.user = user
        self.folders: Mapping[str, Path] = folders or {}
        self.sensors = SensorHub(hardware.sensor, list(hardware.board.sensors), emit)
        self.pins = PinHub(lambda pin, pull: hardware.edges(pin, pull))
        self.topics = TopicHub(origin)
        self.results = ResultHub()
        self.routes = Routes()
        self._http = http or HttpConfig()
        self._starting = threading.Lock()
        self._server: Server | None = None

    def noting(self, emit: Emit) -> Emit:
        """`emit`; it also gives the decisions of functions to the triggers waiting for them."""
        return partial(self._note, emit)

    def serve(self, declared: "DeclaredHttp", ask: Ask) -> HttpTrigger:
        """A trigger on a path; the first one starts the server. Raises LamplightError when that fails."""
        with self._starting:
            if self._server is None:
                self._server = self._start()
        return self.routes.trigger(declared, ask)

    def can_serve(self) -> None:
        """Raise LamplightError when HTTP is off and a server would fail to start now. It starts none."""
        # Only boards with such a trigger pay for the import.
        from device.triggers.http import server

        with self._starting, self._explained():
            if self._server is None:
                self._answer()
                server.try_out(self._http)

    @property
    def port(self) -> int:
        """The port of the HTTP server; 0 while there is none."""
        return self._server.port if self._server else 0

    def close(self) -> None:
        """End the opened sources. The triggers were closed before."""
        if self._server:
            self._server.close()
        self.sensors.close()

    def _note(self, emit: Callable[..., None], stream: str, kind: str, fields: dict[str, object]) -> None:
        emit(stream, kind, fields)
        if kind == "decision":
            self.results.decided(fields)

    def _answer(self) -> "Answer":
        if self._http.token_file is None:
            return self.routes.answer
        return guard.guarded(self.routes.answer, guard.read_token(self._http.token_file))

    def _start(self) -> "Server":
        from device.triggers.http.server import Server

        with self._explained():
            server = Server(self._http, self.routes.admit, self._answer())
        scheme = "https" if self._http.certificate else "http"
        _log.info("Functions are served at %s://%s:%s", scheme, self._http.host, server.port)
        return server

    @contextlib.contextmanager
    def _explained(self) -> Generator[None]:
        """A refusal by the system, as a LamplightError."""
        try:
            yield
        except OSError as error:
            by = holder(self._http.port) if error.errno == errno.EADDRINUSE else ""
            raise LamplightError(
                f"HTTP cannot be served at {self._http.host} port {self._http.port}",
                f"{by} listens there" if by else str(error),
                "stop what holds it, or choose another address in agent.toml: "
                "[http] host, port, certificate, key, token_file",
            ) from None
