"""`lamplight dev PATH`: deploy a folder at each save, and show the device's decisions and logs."""

import _thread
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click

from cloud_shim.cli import outcome
from cloud_shim.cli.commands import layer
from cloud_shim.cli.commands.form import for_agent
from cloud_shim.cli.lines import release
from cloud_shim.cli.live import Live
from cloud_shim.cli.options import Options, choose_device, command, device_option, existing_folder
from cloud_shim.cli.outcome import Outcome
from cloud_shim.cli.release import needs, places
from cloud_shim.cli.release.packing import pack
from cloud_shim.cli.release.pushing import push
from device.errors import LamplightError
from device.protocol import reasons

_IDLE = 250  # milliseconds between two looks when nothing is saved
# The tries of one save, where the board's reason for refusing it may lie outside of its code.
_TRIES = 3


class Sent(NamedTuple):
    """The last save sent: the packed folder, its needs' files, the packed layer made of these; the RELEASE of both.

    `generation` is the awaited one, or 0; it is the save's try number `tries`.
    """

    archive: bytes = b""
    requirements: bytes = b""
    packages: bytes | None = None
    layer: dict[str, Any] = {}
    release: dict[str, Any] = {}
    generation: int = 0
    tries: int = 1


@command("dev")
@click.argument("path")
@device_option
@layer.allow_build_option
def run(options: Options, path: str, device: str, sources: bool) -> None:
    """Send PATH to a device now and at each save, and show its decisions and logs until Ctrl-C."""
    folder = existing_folder(path)
    device = choose_device(options.client, device)
    options.client.device(device)  # a misspelt name is an error now, not at each save
    Live(options.client.url, options.terminal, _thread.interrupt_main, device).start()
    sent = Sent()
    for number, saved in enumerate(saves(folder, interrupts())):
        if number == 0:
            watching = f"watching {path}: save a file to deploy it"
            options.terminal.data({"kind": "watching", "folder": path, "device": device}, [(watching, "bold")])
        sent = redeploy(options, folder, device, sent, sources) if saved else look(options, device, sent)
    raise KeyboardInterrupt


def interrupts() -> threading.Event:
    """Set by Ctrl-C, which also interrupts as usual.

    Python drops an interrupt that comes within a destructor or a callback; the event is seen at the next look.
    """
    interrupted = threading.Event()

    def handler(*_: object) -> None:
        interrupted.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, handler)
    return interrupted


def redeploy(options: Options, folder: Path, device: str, sent: Sent, sources: bool = False) -> Sent:
    """Send the folder if it differs from the one `sent` before; gives the last save sent. An error is only shown.

    `sources`: its packages may be built from source.
    """
    try:
        archive = for_agent(options, pack(folder), folder, device)
        if archive == sent.archive:
            return sent
        requirements = _requirements(folder)
        # Choosing wheels takes seconds: only after a change of the requirements.
        same = requirements == sent.requirements
        packages = sent.packages if same else layer.build(options, folder, device, sources)
        stored = push(options.client, archive, device)
        needs = sent.layer if same else layer.send(options, packages)
        generation = options.client.deploy(device, stored, layer=needs)
    except LamplightError as error:
        options.terminal.error(error)
        return sent
    name = release(stored["name"], stored["version"])
    options.terminal.say(("deploy  ", "bold"), f"{name} to {device} as generation {generation}")
    return Sent(archive, requirements, packages, needs, stored, generation)


def look(options: Options, device: str, sent: Sent) -> Sent:
    """See how the last deployment ended, and have it tried again where this may help. An error is shown."""
    if not sent.generation:
        return sent
    try:
        end = outcome.judge(options.client.device(device), sent.generation)
        if not end.final and end.state != "SUPERSEDED":
            return sent
        why = again(end, sent.tries)
        if not why:
            return sent._replace(generation=0)
        retry = reasons.failed_before(end.reason)
        generation = options.client.deploy(device, sent.release, layer=sent.layer, retry=retry)
    except LamplightError as error:
        options.terminal.error(error)
        return sent._replace(generation=0)
    told = {"kind": "again", "device": device, "generation": generation, "reason": end.reason}
    name = release(sent.release["name"], sent.release["version"])
    options.terminal.data(told, [("again   ", "bold"), (f"{name} to {device} as generation {generation}: {why}", "")])
    return sent._replace(generation=generation, tries=sent.tries + 1)


def again(end: Outcome, tries: int) -> str:
    """The reason to try a deployment once more, after this end and so many tries; "" to leave it there."""
    if end.good or tries >= _TRIES:
        return ""
    if reasons.failed_before(end.reason):
        return f"it is tried again because you ask for it anew; {_first_line(end.reason)}"
    return f"it is tried again, for {_first_line(end.reason)}" if reasons.too_busy(end.reason) else ""


def _first_line(reason: str) -> str:
    """A device's reason, without the place in the code and the remedy: the lines above have these."""
    return reason.partition("\n")[0].partition(". If the cause")[0]


def _requirements(folder: Path) -> bytes:
    """All that says which packages the function needs, and from where."""
    files = [folder / each for each in (*needs.FILES, places.FILE)]
    return b"\0".join(each.read_bytes() if each.is_file() else b"" for each in files)


def saves(folder: Path, until: threading.Event) -> Iterator[bool]:
    """True at the start, when the folder is watched, and after each save, False now and then in between.

    It ends when `until` is set. A save during the caller's work counts too.
    """
    import watchfiles

    begun = False
    for changes in watchfiles.watch(folder, stop_event=until, yield_on_timeout=True, rust_timeout=_IDLE):
        yield bool(changes) or not begun
        begun = True
