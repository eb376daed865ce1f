"""The two ways from a trigger to a function, and the form of a running trigger."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from device.errors import LamplightError

# Takes a part of a streamed answer, within a bounded time; says whether more is wanted. It raises nothing.
Sink = Callable[[object], bool]


class Asked(NamedTuple):
    """More of an event with a waiting caller: the taker of an answer in parts, and data too long for an event."""

    sink: Sink | None = None
    attachment: bytes = b""

    @property
    def marks(self) -> dict[str, bool]:
        """What the worker is to know of it beforehand."""
        return {**({"streams": True} if self.sink else {}), **({"attached": True} if self.attachment else {})}


NOTHING_MORE = Asked()


class Deliver(Protocol):
    """Takes an event and returns at once; any thread."""

    def __call__(self, source: str, type: str, data: object, subject: str = "", trail: tuple[str, ...] = ()) -> None:
        """`source` names the trigger, `trail` the functions that led to it; the rest is as in device/event.py."""
        ...


class Ask(Protocol):
    """Takes an event and waits for the handler's result; raises LamplightError as Supervisor.call does.

    An answer in parts comes on another thread, before the result.
    """

    def __call__(self, source: str, type: str, data: object, subject: str = "", asked: Asked = NOTHING_MORE) -> object:
        """`source` names the trigger, the rest is as in device/event.py."""
        ...


class RunningTrigger(Protocol):
    """A trigger that delivers until it is closed. After a failure it tries again by itself."""

    @property
    def fault(self) -> LamplightError | None:
        """The reason for its silence now, with a remedy; None while it works."""
        ...

    def close(self) -> None:
        """Deliver no more."""
        ...
