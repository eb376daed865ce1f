"""The shim's process: `python -m cloud_shim.app --state DIR --port N --broker-port P`.

Serves the API and the console on 127.0.0.1 until a signal ends it. The parts of the shim are put together in shim.py.
"""

import asyncio
import fcntl
import logging
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from cloud_shim import api, config, private
from cloud_shim.api.answers import HANDLERS
from cloud_shim.api.bodies import Bodies
from cloud_shim.api.connections import BoundedConnection
from cloud_shim.api.gate import Gate
from cloud_shim.api.guard import Guard
from cloud_shim.people import token_files
from cloud_shim.people.identity import UnknownError
from cloud_shim.shim import Shim
from device.errors import LamplightError

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"


def create_app(shim: Shim) -> Starlette:
    """The HTTP side of `shim`. The shim runs for as long as the app does."""
    from cloud_shim import console

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        shim.start()
        try:
            yield
        finally:
            shim.close()

    routes = [*api.routes(), *console.routes()]
    pages = {HTTPException: console.missing_page(HANDLERS[HTTPException]), UnknownError: console.refused}
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(Guard),
            Middleware(Gate, routes, shim.tokens.identify, console.refused),
            Middleware(Bodies),
        ],
        exception_handlers={**HANDLERS, **pages},
        lifespan=lifespan,
    )
    app.state.shim = shim
    return app


class Server(uvicorn.Server):
    """uvicorn, with the event streams ended first: they are endless, and it would wait for their end."""

    def __init__(self, settings: uvicorn.Config, shim: Shim, ending: Callable[[], None]) -> None:
        super().__init__(settings)
        self._shim = shim
        self._ending = ending

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On SIGINT or SIGTERM. Put off to the loop: the signal may come while a lock needed here is held."""
        asyncio.get_running_loop().call_soon_threadsafe(self._shim.changes.close)
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell of the end first: after it, uvicorn raises the signal anew, and nothing more of this process runs."""
        self._ending()
        await super().shutdown(sockets)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM; gives the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # The console's pages ask the API through it, in this process: a line for each.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        chosen = config.parse(arguments)
        # Both before anything is touched: a second shim would take the first one's place at the broker.
        with _alone(chosen.state), _listening(chosen.port) as listener:
            shim = Shim(chosen)
            host, port = listener.getsockname()
            logger.info("serving http://%s:%d", host, port)
            settings = uvicorn.Config(
                create_app(shim), http=BoundedConnection, ws="none", log_level="warning", timeout_graceful_shutdown=3
            )
            with ExitStack() as noted:
                noted.enter_context(token_files.announced(port, chosen.state))
                Server(settings, shim, noted.close).run([listener])
            return 0
    except LamplightError as error:
        logger.error("%s", error)
        return error.exit_code


@contextmanager
def _alone(state: Path) -> Generator[None]:
    """Hold the state folder for this process; LamplightError when another shim has it."""
    private.close_to_others(state)
    with (state / "shim.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LamplightError(f"Another shim uses {state}", "", "Stop it, or give --state another folder") from None
        yield


def _listening(port: int) -> socket.socket:
    """A socket on `port`; LamplightError when the port is taken."""
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise LamplightError(
            f"Cannot serve on port {port}", error.strerror or str(error), "Stop what uses it, or give another --port"
        ) from None


if __name__ == "__main__":
    sys.exit(main())
