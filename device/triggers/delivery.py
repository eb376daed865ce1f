"""The two ways from a trigger to a function, and the form of a running trigger."""

from typing import Protocol

from device.errors import LamplightError


class Deliver(Protocol):
    """Takes an event and returns at once; any thread."""

    def __call__(self, source: str, type: str, data: object, subject: str = "", hops: int = 0) -> None:
        """`source` names the trigger, the rest is as in device/event.py."""
        ...


class Ask(Protocol):
    """Takes an event and waits for the handler's result; raises LamplightError as Supervisor.call does."""

    def __call__(self, source: str, type: str, data: object, subject: str = "") -> object:
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
