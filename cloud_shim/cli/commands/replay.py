"""`lamplight replay TRACE FOLDER`: run a function over a board's recording, and show where it decides otherwise.

The function runs in a process of its own (device/replay/): the command starts the process and shows its answers.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from cloud_shim.cli import lines
from cloud_shim.cli.options import Options, command, existing_folder, parse_config
from cloud_shim.cli.release.packing import declared_settings
from cloud_shim.cli.terminal import Line, Terminal
from cloud_shim.words import amounts
from device.errors import LamplightError, NotFoundError, RejectedError, UsageError
from device.replay import compare, trace

_ERRORS: dict[int, type[LamplightError]] = {2: UsageError, 3: NotFoundError, 5: RejectedError}


@command("replay")
@click.argument("path", metavar="TRACE")
@click.argument("folder", metavar="FOLDER")
@click.option("--model", "models", multiple=True, metavar="FOLDER", help="A model that the function uses.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting over the recorded one.")
@click.option("--differences", "only", is_flag=True, help="Show only what is not as recorded.")
def run(
    options: Options, path: str, folder: str, models: tuple[str, ...], settings: tuple[str, ...], only: bool
) -> None:
    """Run the function in FOLDER over TRACE, under a clock of its own, and compare each decision with the recorded one.

    Ends with 0 when all are the same, and with 1 when some differ.
    """
    recorded = trace.load(Path(path))
    started = time.monotonic()
    count = differ = 0
    config = json.dumps(parse_config(settings, declared_settings(existing_folder(folder))) or {})
    for decision in _decisions(path, folder, models, config, options.terminal):
        count += 1
        differ += bool(decision["differences"])
        if decision["differences"] or not only:
            options.terminal.data(decision, _line(decision))
    took = time.monotonic() - started
    cut = sum(not step.whole for step in recorded.steps)
    _summary(options, recorded, count, took, cut)
    whole = len(recorded.steps) - cut
    if count < whole:
        raise LamplightError(
            f"The replay stopped after {count} of {whole} events",
            f"{compare.MOST_SAME} in a row failed with one error that the board did not have",
            "Correct that, and replay again",
        )
    if differ:
        raise LamplightError(
            f"{differ} of {count} decisions are not as recorded",
            "the code, its settings or its packages are others, or it decides by what no trace has: "
            "random numbers, the exact time, files, the network, variables from before the first event, "
            "state set by a call that was not recorded",
        )


def _decisions(
    path: str, folder: str, models: tuple[str, ...], config: str, terminal: Terminal
) -> Iterator[dict[str, Any]]:
    """The decisions told by the replaying process; at the end, the function's own output goes to `terminal`.

    Raises the error that ended the process, as a LamplightError.
    """
    options = ["--config", config, *(part for model in models for part in ("--model", model))]
    arguments = [sys.executable, "-P", "-m", "device.replay", path, folder, *options]
    differ = False
    # A file takes any amount of output; a pipe would make the function wait for a reader.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as printed:
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=printed, text=True) as process:
            assert process.stdout
            for line in process.stdout:
                decision = json.loads(line)
                differ = differ or bool(decision["differences"])
                yield decision
        printed.seek(0)
        told = f"\n{printed.read()}"
    good = process.returncode == (1 if differ else 0)
    before, _, error = told.rpartition("\nerror: ")
    for each in (told if good else before).splitlines():
        if each:
            terminal.say(lines.printable(each))
    if not good:
        kind = _ERRORS.get(process.returncode, LamplightError)
        raise kind("The function cannot be replayed", error.strip())


def _line(decision: dict[str, Any]) -> Line:
    clock = time.strftime("%H:%M:%S", time.localtime(decision["time"])) + f".{int(decision['time'] * 10) % 10}"
    data = decision["data"]
    light = f"{data['lux']:.1f} lux" if isinstance(data, dict) and "lux" in data else ""
    line: list[tuple[str, str]] = [(f"{clock}  ", "dim"), (f"{light:>12}  ", "")]
    for pin, level in sorted(decision["pins"].items()):
        line += [("● " if level else "○ ", "bold yellow" if level else "dim"), (f"{pin}  ", "")]
    if decision["error"]:
        line.append((lines.printable(decision["error"]), "red"))
    elif decision["result"] is not None:
        line.append((lines.printable(f"→ {decision['result']}"), ""))
    return [*line, *((f"  {lines.printable(each)}", "bold red") for each in decision["differences"])]


def _summary(options: Options, recorded: trace.Trace, count: int, took: float, cut: int) -> None:
    steps = recorded.steps
    span = steps[-1].event.time - steps[0].event.time if steps else 0.0
    left_out = f"; {cut} were too large to be recorded" if cut else ""
    events = amounts.counted(count, "event")
    options.terminal.say(f"{events} of {span:.0f} s on {recorded.header.device}, in {took:.1f} s{left_out}")
