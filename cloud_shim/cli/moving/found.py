"""A function as it was found in a cloud's description, and everything that could not be carried over. Values only."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from device.protocol.cloud import AWS
from device.protocol.fields import NAME_LENGTH, is_name

Trigger = dict[str, object]


@dataclass(frozen=True)
class Left:
    """One thing left behind, or to be done by hand: where it stands, what it is, why, and the remedy."""

    line: int
    what: str
    why: str
    remedy: str = ""

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.what}: {self.why}{f'. {self.remedy}' if self.remedy else ''}"


@dataclass
class Function:
    """A function to be written. `code` is its folder, `inline` the text of its only file; one of them is given.

    `unset` are variables whose value only the cloud knows, each with the expression. `memory` and `scratch` are in MiB,
    `timeout` in seconds; None leaves ours.
    """

    name: str
    handler: str
    runtime: str = AWS
    code: Path | None = None
    inline: str | None = None
    memory: int | None = None
    scratch: int | None = None
    timeout: int | None = None
    triggers: list[Trigger] = field(default_factory=list[Trigger])
    cloud: dict[str, object] = field(default_factory=dict[str, object])
    environment: dict[str, str] = field(default_factory=dict[str, str])
    unset: dict[str, str] = field(default_factory=dict[str, str])
    network: bool = False


@dataclass
class Found:
    """Everything read from one description."""

    functions: list[Function] = field(default_factory=list[Function])
    left: list[Left] = field(default_factory=list[Left])

    def leave(self, line: int, what: str, why: str, remedy: str = "") -> None:
        """Note one thing left behind."""
        self.left.append(Left(line, what, why, remedy))

    def unused(self, name: str) -> str:
        """`name`, or with a number when another function has it."""
        taken = {each.name for each in self.functions}
        numbered = (f"{name[: NAME_LENGTH - 4]}-{number}" for number in range(2, 1000))
        return name if name not in taken else next(each for each in numbered if each not in taken)


def named(text: str) -> str:
    """`text` as one of our names: "HelloWorldFunction" is "hello-world-function"."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", text)
    name = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:NAME_LENGTH].rstrip("-")
    return name if is_name(name) else "function"
