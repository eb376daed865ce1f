"""The benchmarks' command: measures, prints one table, writes bench.json.

    python -m tests.bench [--quick] [--output FILE] [--write-docs] [NAME …]

Run from the repository's root, on Linux. Without names it takes every benchmark; a name is that of its file.
"""

import argparse
import json
import signal
import sys
from pathlib import Path

from tests.bench import (
    deploy,
    event_path,
    flood,
    http_path,
    inference,
    memory,
    mqtt_path,
    page,
    patch,
    table,
    transfer,
    workers,
)

BENCHMARKS = {
    each.__name__.rpartition(".")[2]: each
    for each in (event_path, mqtt_path, http_path, workers, inference, deploy, flood, transfer, patch, memory)
}


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    options = _options(arguments)
    # As Ctrl-C does: what was started is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    figures = []
    for name in options.names or BENCHMARKS:
        print(f"{name}: {_title(name)}", file=sys.stderr, flush=True)
        figures += BENCHMARKS[name].measure(options.quick)
    print(table.plain(figures))
    options.output.write_text(json.dumps([figure.document() for figure in figures], indent=2) + "\n")
    if options.write_docs:
        page.write(figures)
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure Lamplight against bare parts.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(BENCHMARKS)}")
    parser.add_argument("--quick", action="store_true", help="few samples: shows that it works, measures nothing well")
    parser.add_argument("--output", type=Path, default=Path("bench.json"), help="where the figures go as JSON")
    parser.add_argument("--write-docs", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - BENCHMARKS.keys():
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    if options.write_docs and (options.names or options.quick):
        parser.error("--write-docs is for a full run")
    return options


def _title(name: str) -> str:
    return (BENCHMARKS[name].__doc__ or "").splitlines()[0]


if __name__ == "__main__":
    sys.exit(main())
