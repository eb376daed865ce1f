"""The world around the simulated board: its light, a hand over the sensor, its plug; and the behaviour of its pins."""

from pathlib import Path
from types import TracebackType
from typing import Self

from device.errors import UsageError
from device.hal.sim.link import Link
from device.protocol.fields import items, table


class World:
    """A client of the simulated hardware. Every method raises OfflineError when its process is gone."""

    def __init__(self, link: Link) -> None:
        self._link = link

    @classmethod
    def connect(cls, socket: Path) -> Self:
        """The world of the simulated hardware listening at `socket`."""
        world = cls(Link(socket))
        world.state()
        return world

    def state(self) -> dict[str, object]:
        """{"lux": float, "covered": bool, "unplugged": bool, "pins": {name: level}}."""
        return self._link.ask("state")

    def set(
        self, lux: float | None = None, covered: bool | None = None, unplugged: bool | None = None
    ) -> dict[str, object]:
        """Change every value but None, and give the new state. Raises UsageError unless `lux` is from 0 to 200,000."""
        given = {"lux": lux, "covered": covered, "unplugged": unplugged}
        return self._ask("surround", **{key: value for key, value in given.items() if value is not None})

    def wire(self, pin: str, level: bool | None) -> None:
        """Drive an input from outside, as a button does; None opens the contact. Raises UsageError for no such pin."""
        self._ask("wire", pin=pin, level=level)

    def history(self, pin: str) -> list[dict[str, object]]:
        """The last changes of a pin, oldest first: [{"at": seconds, "direction": "output", "level": bool}, …]."""
        changes = self._ask("history", pin=pin)["changes"]
        return [table(change, "change") for change in items(changes, "changes")]

    def close(self) -> None:
        """End the connection. The world stays as it is."""
        self._link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _ask(self, op: str, **fields: object) -> dict[str, object]:
        try:
            return self._link.ask(op, **fields)
        except OSError as error:
            raise UsageError("the simulated world cannot be so", error.strerror or str(error)) from error
