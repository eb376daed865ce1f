"""How triggers hand over what they saw."""

from typing import Protocol

from device.errors import LamplightError


class Deliver(Protocol):
    """Takes an event and never waits; any thread."""

    def __call__(self, source: str, type: str, data: object, subject: str = "", hops: int = 0) -> None:
        """`source` names the trigger, the rest is as in device/event.py."""
        ...


class Ask(Protocol):
    """Takes an event and waits for the handler's result; raises LamplightError as Supervisor.call does."""

    def __call__(self, source: str, type: str, data: object, subject: str = "") -> object:
        """`source` names the trigger, the rest is as in device/event.py."""
        ...


class RunningTrigger(Protocol):
    """A trigger that delivers until it is closed. One that stops working tries again by itself."""

    @property
    def fault(self) -> LamplightError | None:
        """Why it delivers nothing now, and what to do about it; None while it works."""
        ...

    def close(self) -> None:
        """Deliver no more."""
        ...
