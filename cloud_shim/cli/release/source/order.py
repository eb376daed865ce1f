"""What the command asks of the confined process, and the form of its answer: a line of JSON, then a wheel's bytes.

Everything in an answer is the package's word. Plain data: it is read on machines without a sandbox, too.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any, cast

# The things to do: read pyproject.toml; ask the backend what more it needs; build.
PLAN, REQUIRES, WHEEL = "plan", "requires", "wheel"
MOST_BYTES = 64 << 20
"""Of an answer; a confined process writes no larger file."""
_MOST_LINES = 100
_MOST_LINE = 500


@dataclass(frozen=True)
class Order:
    """`file` is the source's name; its bytes are standard input. `home` is the person's, not to be seen.

    `tools` is a folder of packages, `room` an empty one.
    """

    do: str
    file: str
    home: str
    room: str
    tools: str = ""

    def text(self) -> str:
        """As the argument of the program."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Answer:
    """`requires` for PLAN and REQUIRES, `file` and `data` for WHEEL.

    Otherwise one of the others says why not: `lacks`, the confinement that this machine has not got; `refused`, for a
    source that is not unpacked or understood; `failed`, when the package's own program failed. `compiled` are files of
    the source in languages that are compiled.
    """

    requires: tuple[str, ...] = ()
    file: str = ""
    data: bytes = b""
    lacks: tuple[str, ...] = ()
    refused: str = ""
    failed: bool = False
    compiled: tuple[str, ...] = ()

    def sent(self) -> bytes:
        """As it is written."""
        told = {key: value for key, value in asdict(self).items() if key != "data"}
        return json.dumps(told).encode() + b"\n" + self.data


def received(data: bytes) -> Answer | None:
    """The answer in these bytes; None for none."""
    head, end, rest = data.partition(b"\n")
    try:
        told: object = json.loads(head)
    except (ValueError, RecursionError):
        return None
    if not end or not isinstance(told, dict):
        return None
    fields = cast("dict[str, Any]", told)
    requires, lacks, compiled = (texts(fields.get(key)) for key in ("requires", "lacks", "compiled"))
    file, refused = (texts([fields.get(key)])[:1] for key in ("file", "refused"))
    return Answer(requires, "".join(file), rest, lacks, "".join(refused), fields.get("failed") is True, compiled)


def texts(value: object) -> tuple[str, ...]:
    """The texts in a list of a stranger's, within bounds; () for anything else."""
    if not isinstance(value, list):
        return ()
    return tuple(each[:_MOST_LINE] for each in cast("list[object]", value)[:_MOST_LINES] if isinstance(each, str))
