"""`lamplight doctor`: checks everything Lamplight depends on, and names a remedy for each fault."""

import sys
from pathlib import Path

import click

from cloud_shim.cli.doctor import table
from cloud_shim.cli.options import Options, command
from cloud_shim.cli.up.home_folder import HomeFolder
from device.doctor import check, show
from device.doctor.check import Result
from device.errors import NotFoundError

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red", "skip": "dim"}
# Longer than most names: lines are shown as they come.
_WIDTH = 26


@command("doctor")
@click.argument("device", default="")
@click.option(
    "--state",
    "folder",
    type=click.Path(path_type=Path),
    default=".lamplight",
    show_default=True,
    help="The folder of `up`.",
)
def run(options: Options, device: str, folder: Path) -> None:
    """Look at this machine's Lamplight and at its devices; with DEVICE, have the device look at itself.

    Exit code 0 when no check failed, 1 when one did.
    """
    results = _of_device(options, device) if device else _of_home(options, folder)
    if options.as_json:
        options.terminal.data({"checks": [each.to_json() for each in results]})
    else:
        options.terminal.say(show.summary(results))
    if not check.healthy(results):
        sys.stdout.flush()
        raise click.exceptions.Exit(1)


def _of_device(options: Options, device: str) -> list[Result]:
    results = check.parse(options.client.doctor(device), "checks")
    for each in results:
        _show(options, each)
    return results


def _of_home(options: Options, folder: Path) -> list[Result]:
    cloud = HomeFolder(folder).cloud
    if not cloud.is_dir():
        raise NotFoundError(
            f"There is no Lamplight in {folder}", "", "--state with the folder of `lamplight up`, or name a DEVICE"
        )
    results: list[Result] = []
    for each in check.perform(table.checks(cloud, options.client)):
        results.append(each)
        _show(options, each)
    return results


def _show(options: Options, result: Result) -> None:
    if not options.as_json:
        first, *rest = show.lines(result, _WIDTH)
        status = first[: len(result.status)]
        options.terminal.data(None, [(status, _STYLES[result.status]), (first[len(status) :], "")])
        for line in rest:
            options.terminal.data(None, [(line, "")])
