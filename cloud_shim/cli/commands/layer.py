"""A function's needs beside its own files: the layer of its packages, built for a device, then sent.

Built before the function is sent, so that a package without a wheel uses up no number of a release; sent after it, so
that a function the device cannot take uses up none of a layer. `deploy` and `dev` do the deploying.
"""

from pathlib import Path
from typing import Any

import click

from cloud_shim.cli.lines import release
from cloud_shim.cli.options import Options
from cloud_shim.cli.release import explained, layers, needs, target
from cloud_shim.cli.release.layers import Board
from cloud_shim.cli.release.pushing import push
from device.protocol import reported

allow_build_option = click.option(
    "--allow-build",
    "sources",
    is_flag=True,
    help="Build packages in pure Python that have no wheel from their source, confined; on Linux.",
)


def needy(folder: Path) -> bool:
    """Whether a file in `folder` may say that the function needs packages."""
    return any((folder / each).is_file() for each in needs.FILES)


def board(options: Options, device: str) -> Board:
    """The device as packages see it, by its report; raises OfflineError before the first one."""
    report = reported.known(options.client.device(device)["reported"])
    platform = target.reported(report)
    assert report is not None, "a platform is told in a report"
    return Board(platform, report.ai, report.libraries, report.archive)


def build(options: Options, folder: Path, device: str, sources: bool = False) -> bytes | None:
    """The packed layer of what the function needs, for this device; None when it needs nothing.

    The lock beside it is used, or written with a word on what changed. `sources`: source distributions may be built,
    as layers.layer says. Raises OfflineError before the device's first report and when the package index is out of
    reach, RejectedError for a line that is refused and when a wheel for the device is missing.
    """
    if not needy(folder):
        return None
    return layers.layer(folder, board(options, device), options.terminal.say, sources)


def explain(options: Options, folder: Path, device: str, sources: bool = False) -> None:
    """Show what packages the function gets on this device, and why; nothing is sent, and no lock is written."""
    rows = explained.rows(folder, board(options, device), options.terminal.say, sources) if needy(folder) else []
    if not rows:
        options.terminal.say("The function needs no packages of its own")
    options.terminal.table([each.to_json() for each in rows], explained.table(rows), explained.HEADINGS)


def send(options: Options, packed: bytes | None) -> dict[str, Any]:
    """The RELEASE of the layer, for a deployment; {} stands for none."""
    if packed is None:
        return {}
    layer = push(options.client, packed)
    options.terminal.say(f"{release('layer ' + layer['name'], layer['version'])} ({layer['length']:,} bytes)")
    return layer
