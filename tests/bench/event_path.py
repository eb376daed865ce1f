"""Event → handler → result, against a bare os.pipe round trip between two processes.

Ours is `Supervisor.call`: the event is queued, the function's dispatcher sends it to the confined worker process, the
handler runs there and returns what it was given, and the result comes back to the caller. The reference sends the
same bytes to another Python process and back through two pipes, with one read and one write on each side: the least
that any runtime pays that keeps functions in processes of their own. Both cross between two processes twice; ours
also makes and reads messages, keeps the deadline, and wakes two threads of the agent. On one processor the ratio
says what our code costs. Left to the scheduler, the pipe's two processes often end up on one processor anyway while
our threads and the worker do not: then the machine's wake-ups across processors count on our side only.
"""

import json

from tests.bench import board, pipe
from tests.bench.figures import Figure, spread
from tests.bench.sampling import in_turn, processors, seconds_each

GOAL = 8.0
_CODE = "def handler(event, context):\n    return event.data\n"
# About 100 bytes as JSON, as a sensor's reading with a few settings has.
_DATA = {"lux": 123.456, "saturated": False, "window": [101.5, 102.25, 103.125, 104.5, 105.75, 106.5, 107.0]}


def measure(quick: bool) -> list[Figure]:
    """Across processors and on one."""
    return [_measure(quick, pinned) for pinned in (False, True)]


def _measure(quick: bool, pinned: bool) -> Figure:
    rounds, batch = (2, 20) if quick else (21, 500)
    with (
        processors(pinned),
        board.running("echo", _CODE) as supervisor,
        pipe.echo(json.dumps(_DATA).encode()) as round_trip,
    ):
        seconds_each(lambda: supervisor.call("echo", _DATA), batch)
        ours, reference = in_turn(
            lambda: seconds_each(lambda: supervisor.call("echo", _DATA), batch),
            lambda: seconds_each(round_trip, batch),
            rounds,
        )
    return Figure(
        "event → handler → result",
        "µs",
        spread(ours, 1e6),
        spread(reference, 1e6),
        "os.pipe round trip between two processes",
        GOAL,
        pinned,
    )
