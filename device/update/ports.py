"""The update engine's needs from the rest of the device, as protocols; the agent hands in the real ones."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from device.generation import Generation


class Health(Protocol):
    """The runtime's counts for one function since it was last switched."""

    @property
    def state(self) -> str:
        """One of starting, running, impaired, backoff, stopped."""
        ...

    @property
    def events(self) -> int:
        """Events handled, the failed ones among them."""
        ...

    @property
    def errors(self) -> int:
        """Events ended by an exception in the handler."""
        ...

    @property
    def timeouts(self) -> int:
        """Events past their deadline."""
        ...

    @property
    def crashes(self) -> int:
        """Dead workers."""
        ...

    @property
    def deaths(self) -> Mapping[str, int]:
        """Dead workers, by kind; those at their memory limit under "memory" and "oom"."""
        ...

    @property
    def runs(self) -> int:
        """How often its models were run."""
        ...

    @property
    def slow(self) -> int:
        """How many of these runs took longer than the model's budget."""
        ...

    @property
    def circles(self) -> int:
        """Its turns in a circle of functions that start each other."""
        ...

    @property
    def excused(self) -> int:
        """How many of the timeouts and crashes the board is to blame for: it had too little processor time."""
        ...

    @property
    def triggers(self) -> "Sequence[Fault]":
        """Its triggers out of service now."""
        ...

    @property
    def last_error(self) -> str:
        """The last of any of these, or ""."""
        ...


class Fault(Protocol):
    """The runtime's word on a trigger out of service."""

    @property
    def trigger(self) -> str:
        """Its type and subject: "http /lamp"."""
        ...

    @property
    def error(self) -> str:
        """Why."""
        ...


class Sensor(Protocol):
    """The runtime's word on one sensor."""

    @property
    def ok(self) -> bool:
        """Whether its last reading succeeded."""
        ...

    @property
    def error(self) -> str:
        """The reason for a failed reading."""
        ...


class Runner(Protocol):
    """The runner of generations; the runtime's supervisor is one."""

    def check(self, generation: Generation) -> None:
        """Raise LamplightError when it could not run here; the running generation goes on untouched."""
        ...

    def fitting(self, generation: Generation) -> Generation:
        """The same less the proven functions beyond this board's means now: they are held back."""
        ...

    def switch(self, generation: Generation) -> None:
        """Run this one from now on; a proven function is tried again if it fails to start."""
        ...

    def resume(self, generation: Generation) -> None:
        """Run one that has run before; any function failing to start now is tried again."""
        ...

    def keep(self, functions: Collection[str]) -> None:
        """Only these are still installed: the kept files of others may go."""
        ...

    def health(self) -> Mapping[str, Health]:
        """How each function does."""
        ...

    def sensors(self) -> Mapping[str, Sensor]:
        """How each sensor of the board does."""
        ...


class ChunkLink(Protocol):
    """The carrier of chunks. While it is disconnected it may forget all it is told: `Engine.connected` repeats it."""

    @property
    def connected(self) -> bool:
        """Whether requests reach anybody now."""
        ...

    def subscribe(self, digests: Sequence[str]) -> None:
        """Have these chunks given to `Engine.chunk`."""
        ...

    def unsubscribe(self, digests: Sequence[str]) -> None:
        """These are no longer needed."""
        ...

    def want(self, digests: list[str]) -> None:
        """Ask the shim to send these again."""
        ...
