"""`python -m device.replay TRACE FOLDER`: replay a trace on this machine, one JSON line for each decision.

This form runs on a board, with the agent alone installed; `lamplight replay` shows the same to a person. The function's
prints go to standard error, and an error comes there last.
Exit codes: 0 every decision is as recorded, 1 some differ, otherwise as device/errors.py says.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TextIO

from device.errors import LamplightError
from device.replay import compare, player, trace
from device.replay.clock import VirtualClock


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m device.replay", description="Replay a trace to a function.")
    parser.add_argument("trace", type=Path, help="what `lamplight record` wrote")
    parser.add_argument("folder", type=Path, help="the function's folder")
    parser.add_argument("--model", type=Path, action="append", default=[], help="the folder of a model that it uses")
    parser.add_argument("--config", type=json.loads, default={}, help="settings over the recorded ones, as JSON")
    options = parser.parse_args()
    decisions = _kept_from_the_function()
    clock = VirtualClock()
    clock.install()
    try:
        return _replay(options, clock, decisions)
    except LamplightError as error:
        sys.stdout.flush()
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code


def _kept_from_the_function() -> TextIO:
    """Standard output, for decisions only; the function and its child processes write to standard error from now on."""
    kept = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return kept


def _replay(options: argparse.Namespace, clock: VirtualClock, decisions: TextIO) -> int:
    recorded = trace.load(options.trace)
    models = player.model_folders(options.model)
    replayed = player.Player(options.folder, {**recorded.header.config, **options.config}, models, clock)
    repeated = compare.Repeated()
    differ = 0
    for outcome in replayed.play(recorded):
        found = compare.differences(outcome)
        differ += bool(found)
        print(json.dumps(line(outcome, found)), file=decisions, flush=True)
        if repeated.is_enough(outcome):
            break
    return 1 if differ else 0


def line(outcome: player.Outcome, found: list[str]) -> dict[str, object]:
    """One decision as it is printed."""
    event = outcome.step.event
    return {
        "event": event.id,
        "time": event.time,
        "type": event.type,
        "data": event.data,
        "pins": dict(outcome.pins),
        "result": compare.brief(outcome.result),
        "error": outcome.error,
        "said": outcome.said,
        "differences": found,
    }


if __name__ == "__main__":
    sys.exit(main())
