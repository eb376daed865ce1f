"""`python -m device.doctor --config agent.toml`: looks at the board described by the configuration.

Exit codes: 0 when every check passed or was left out, 1 when one failed, 2 and 3 for an unusable configuration.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from device.config import AgentConfig, load
from device.doctor import show, table
from device.doctor.check import Result, healthy, perform
from device.enrol import own_name
from device.errors import LamplightError

# Longer than any name of a check, so lines can be shown as they come.
_WIDTH = 26


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m device.doctor", description="Look at everything this board needs.")
    parser.add_argument("--config", type=Path, required=True, help="the board's agent.toml")
    parser.add_argument("--json", action="store_true", help="give the results as JSON")
    parser.add_argument("--reference", type=float, help="what another clock says, in seconds since 1970")
    options = parser.parse_args(arguments)
    try:
        return _run(own_name.config(load(options.config)), options.json, options.reference)
    except LamplightError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code


def _run(config: AgentConfig, as_json: bool, reference: float | None) -> int:
    results: list[Result] = []
    for each in perform(table.checks(config, reference)):
        results.append(each)
        if not as_json:
            print(*show.lines(each, _WIDTH), sep="\n", flush=True)  # noqa: T201
    told = json.dumps({"checks": [each.to_json() for each in results]}) if as_json else show.summary(results)
    print(told, flush=True)  # noqa: T201
    return 0 if healthy(results) else 1


if __name__ == "__main__":
    try:
        code = main()
    except BrokenPipeError:
        # The reader has seen enough; the interpreter's own flush at the end must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141  # 128 + SIGPIPE
    sys.stderr.flush()
    # Not sys.exit: a hanging check must not hold the process.
    os._exit(code)
