"""Runs what an `async def` returns. Its loop is made with the first of it, and lives as long as the worker.

What a handler starts and does not await stands still until the next event. How long it may take is judged as for any
handler, from outside.
"""

from collections.abc import Coroutine
from types import CoroutineType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import Runner


class Coroutines:
    """The loop of one function."""

    def __init__(self) -> None:
        self._runner: Runner | None = None

    def settle(self, value: object) -> object:
        """`value`; where it is a coroutine, what comes of running it."""
        return self._run(value) if isinstance(value, CoroutineType) else value  # pyright: ignore[reportUnknownArgumentType]

    def _run(self, value: Coroutine[Any, Any, object]) -> object:
        if self._runner is None:
            # Imported here: a function without one must not pay for it.
            import asyncio

            self._runner = asyncio.Runner()
        return self._runner.run(value)

    def close(self) -> None:
        """End what still runs, and the loop."""
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.close()
