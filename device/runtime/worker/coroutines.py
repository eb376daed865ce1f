"""Runs the coroutine of an `async def` handler. Its loop is made for the first one, and lives as long as the worker.

A handler's unawaited tasks stand still until the next event. Its time is judged as for any handler, from outside.
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
        """`value`; for a coroutine, the result of running it."""
        return self._run(value) if isinstance(value, CoroutineType) else value  # pyright: ignore[reportUnknownArgumentType]

    def _run(self, value: Coroutine[Any, Any, object]) -> object:
        if self._runner is None:
            # Imported here: a function without one must not pay for it.
            import asyncio

            self._runner = asyncio.Runner()
        return self._runner.run(value)

    def close(self) -> None:
        """End the remaining tasks, and the loop."""
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.close()
