"""Handlers written for a cloud: their events and contexts are made of ours, and our results of their answers.

Each cloud is a module, imported for its functions alone. Others call the handler, and set its surroundings.
"""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from device.event import Event
from device.protocol.cloud import AWS, PLAIN, TENCENT
from device.runtime.worker.clouds.facts import Facts

if TYPE_CHECKING:
    from device.runtime.worker.context import Context

# Quoted: the agent, which makes the facts, has no use for a worker's context.
Adapted = Callable[[Event, "Context"], object]
_MODULES = {AWS: "aws", TENCENT: "tencent"}


class _Cloud(Protocol):
    """The contents of a cloud's module."""

    def variables(self, facts: Facts) -> dict[str, str]:
        """The variables that the cloud itself sets."""
        ...

    def adapted(self, handler: Callable[..., object], facts: Facts) -> Adapted:
        """The handler as the worker calls one."""
        ...


def adapted(handler: Callable[..., object], facts: Facts) -> Adapted:
    """The handler as the worker calls one: of plain functions it is the handler itself."""
    return handler if facts.runtime == PLAIN else _of(facts).adapted(handler, facts)


def variables(facts: Facts) -> dict[str, str]:
    """The variables of the function's process: its runtime's, with its own over them."""
    return facts.environment if facts.runtime == PLAIN else {**_of(facts).variables(facts), **facts.environment}


def _of(facts: Facts) -> _Cloud:
    module: _Cloud = importlib.import_module(f"{__name__}.{_MODULES[facts.runtime]}")  # pyright: ignore[reportAssignmentType]
    return module
