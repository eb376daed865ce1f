"""What the update engine needs from the rest of the device, as protocols; the agent hands in the real ones."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from device.generation import Generation


class Health(Protocol):
    """What the runtime counts for one function since it was last switched."""

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
        """Events whose handler raised."""
        ...

    @property
    def timeouts(self) -> int:
        """Events that were not handled by their deadline."""
        ...

    @property
    def crashes(self) -> int:
        """Workers that died."""
        ...

    @property
    def deaths(self) -> Mapping[str, int]:
        """Workers that died, by kind; those at their memory limit under "memory" and "oom"."""
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
    def excused(self) -> int:
        """How many of the timeouts and crashes the board is to blame for: it had too little processor time."""
        ...

    @property
    def triggers(self) -> "Sequence[Fault]":
        """Its triggers that deliver nothing now."""
        ...

    @property
    def last_error(self) -> str:
        """The last of any of these, or ""."""
        ...


class Fault(Protocol):
    """What the runtime says of a trigger that delivers nothing."""

    @property
    def trigger(self) -> str:
        """Its type and subject: "http /lamp"."""
        ...

    @property
    def error(self) -> str:
        """Why."""
        ...


class Sensor(Protocol):
    """What the runtime says of one sensor."""

    @property
    def ok(self) -> bool:
        """Whether its last reading succeeded."""
        ...

    @property
    def error(self) -> str:
        """If not, why."""
        ...


class Runner(Protocol):
    """What runs generations; the runtime's supervisor is one."""

    def check(self, generation: Generation) -> None:
        """Raise LamplightError when it could not run here; nothing that runs is touched."""
        ...

    def fitting(self, generation: Generation) -> Generation:
        """The same without the proven functions that this board cannot run now: they are held back."""
        ...

    def switch(self, generation: Generation) -> None:
        """Run this one from now on; a proven function that cannot start now is tried again."""
        ...

    def resume(self, generation: Generation) -> None:
        """Run one that has run before; what of it cannot start now is tried again."""
        ...

    def keep(self, functions: Collection[str]) -> None:
        """Only these are still installed: what others have kept on the disk may go."""
        ...

    def health(self) -> Mapping[str, Health]:
        """How each function does."""
        ...

    def sensors(self) -> Mapping[str, Sensor]:
        """How each sensor of the board does."""
        ...


class ChunkLink(Protocol):
    """What carries chunks. While it is not connected it may forget all it is told: `Engine.connected` repeats it."""

    @property
    def connected(self) -> bool:
        """Whether what is asked for now is asked of anybody."""
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
