"""`lamplight keys request|holders|sign|revoke`: several machines hold root keys, and change keys together."""

import json
from pathlib import Path
from typing import Any

import click

from cloud_shim.cli.keys.machine_keys import root_keys_of, tell_pending, when
from cloud_shim.cli.options import Options, command
from cloud_shim.trust import root_metadata
from device.errors import NotFoundError, RejectedError, UsageError

_FILE = click.Path(path_type=Path)


@command("request")
@click.argument("file", type=_FILE)
def request(options: Options, file: Path) -> None:
    """Make a root key on this machine, and write its public half to FILE, for `keys holders` on another machine."""
    made = root_keys_of(options.client.keys()).request()
    try:
        file.write_text(json.dumps(made, indent=1) + "\n")
    except OSError as error:
        raise NotFoundError(f"{file} cannot be written", error.strerror or str(error)) from None
    options.terminal.data({"file": str(file), **made}, [(f"{file} may be shown to anybody; the key stays here", "")])


@command("holders")
@click.argument("files", nargs=-1, type=_FILE)
@click.option("--threshold", type=click.IntRange(1), required=True, help="How many of them must sign a change of keys.")
def holders(options: Options, files: tuple[Path, ...], threshold: int) -> None:
    """Let only this machine and those of FILES change keys, THRESHOLD of them together."""
    requests = [_read(file) for file in files]
    answer = options.client.keys()
    for offer in root_keys_of(answer).holders(requests, threshold):
        answer = options.client.adopt(offer)
    told = {"holders": 1 + len(requests), "threshold": threshold, "pending": answer["pending"]}
    options.terminal.data(
        told, [(when(answer, f"{threshold} of {1 + len(requests)} machines must sign a change of keys"), "")]
    )
    tell_pending(options, answer)


@command("sign")
@click.option("--yes", is_flag=True, help="Do not ask.")
def sign(options: Options, yes: bool) -> None:
    """Sign the waiting changes of keys with the root key on this machine."""
    answer = options.client.keys()
    offers = root_keys_of(answer).sign(answer["pending"])
    if not offers:
        raise RejectedError("Nothing waits for this machine's signature", "", "`lamplight keys show` tells what waits")
    _show_changes(options, answer)
    if not yes and not click.confirm("Sign this?", err=True):
        raise RejectedError("Nothing was signed", "you did not confirm it")
    for offer in offers:
        answer = options.client.adopt(offer)
    options.terminal.data({"signed": len(offers), "pending": answer["pending"]}, [("Signed", "")])
    tell_pending(options, answer)


@command("revoke")
@click.argument("key_id")
def revoke(options: Options, key_id: str) -> None:
    """Revoke another machine's root key, the one whose id begins with KEY_ID: it can change keys no more.

    Keys of this machine and of the shim are replaced instead: `lamplight keys rotate`.
    """
    answer = options.client.keys()
    answer = options.client.adopt(root_keys_of(answer).revoke(key_id))
    options.terminal.data(
        {"revoked": key_id, "pending": answer["pending"]}, [(when(answer, f"{key_id} is revoked"), "")]
    )
    tell_pending(options, answer)


def _show_changes(options: Options, answer: dict[str, Any]) -> None:
    """Show the changes about to be signed, read from the new roots themselves instead of the shim's words."""
    present = {"image": answer["image"]["root"][-1], "director": answer["director_root"]}
    for repository, each in answer["pending"].items():
        for line in root_metadata.description(present[repository], each["root"]):
            options.terminal.say(f"{repository}: {line}")


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise NotFoundError(f"{file} cannot be read", error.strerror or str(error)) from None
    except ValueError as error:
        raise UsageError(f"{file} is no request", str(error), "`lamplight keys request FILE` writes one") from None
    if not isinstance(found, dict) or not {"fleet", "image", "director"} <= found.keys():
        raise UsageError(f"{file} is no request", "", "`lamplight keys request FILE` writes one")
    return found  # pyright: ignore[reportUnknownVariableType]


COMMANDS = (request, holders, sign, revoke)
