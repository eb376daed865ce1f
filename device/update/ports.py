"""What the update engine needs from the rest of the device, as protocols; the agent hands in the real ones."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from device.generation import Generation
from device.update.trial import Health, Sensor


class Runner(Protocol):
    """What runs generations; the runtime's supervisor is one."""

    def check(self, generation: Generation) -> None:
        """Raise LamplightError when it could not run here; nothing that runs is touched."""
        ...

    def switch(self, generation: Generation) -> None:
        """Run this one from now on."""
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
