"""The shim's process: `python -m cloud_shim.app --state DIR --port N --broker-port P`.

Serves the API and the console on 127.0.0.1 until it is told to stop. What it serves is shim.py.
"""

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware

from cloud_shim import api, config
from cloud_shim.api.answers import HANDLERS
from cloud_shim.api.guard import Guard
from cloud_shim.shim import Shim
from device.errors import LamplightError

HOST = "127.0.0.1"


def create_app(shim: Shim) -> Starlette:
    """The HTTP side of `shim`, which runs for as long as the app does."""
    from cloud_shim import console

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        shim.start()
        try:
            yield
        finally:
            shim.close()

    app = Starlette(
        routes=[*api.routes(), *console.routes()],
        middleware=[Middleware(Guard)],
        exception_handlers=HANDLERS,
        lifespan=lifespan,
    )
    app.state.shim = shim
    return app


class Server(uvicorn.Server):
    """uvicorn, with the event streams ended first: they have no end of their own for it to wait for."""

    def __init__(self, settings: uvicorn.Config, shim: Shim) -> None:
        super().__init__(settings)
        self._shim = shim

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On SIGINT or SIGTERM. A thread, for the signal may have come while this one holds a lock."""
        asyncio.get_running_loop().call_soon_threadsafe(self._shim.changes.close)
        super().handle_exit(sig, frame)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM; gives the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        chosen = config.parse(arguments)
        shim = Shim(chosen)
    except LamplightError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    settings = uvicorn.Config(
        create_app(shim), host=HOST, port=chosen.port, log_level="warning", timeout_graceful_shutdown=3
    )
    Server(settings, shim).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
