"""The agent's state folder: the installed generations, their files, the failures, and the records waiting to be sent.

It only reads: the agent may be at work in it.
"""

import contextlib
import sqlite3
from pathlib import Path

from device.artifact import archive
from device.doctor.check import Finding, fail, ok, skip, warn
from device.link.outbox import BUDGETS
from device.protocol import withdrawn as withdrawals
from device.protocol.errors import ProtocolError
from device.trust import verify
from device.update import slots
from device.update.slots import Slots

_DEPLOY_AGAIN = "Deploy again: what is damaged is fetched anew. If it comes back, the card is dying (`dmesg`)"


def ledger(update: Path) -> Finding:
    """The installed generations, by the ledger."""
    try:
        found = slots.load(update / "slots.json")
    except ProtocolError as error:
        return fail(str(error), "Restart the agent: it begins with nothing installed, and what is deployed comes anew")
    if found.running is None:
        return ok("nothing is installed")
    told = f"generation {found.running.generation} runs"
    return ok(f"{told}, on trial" if found.trial else told)


def store(update: Path) -> Finding:
    """Whether every artifact of a slot is on disk, byte for byte."""
    needed = _slots(update)
    if needed is None:
        return skip("without a ledger nobody knows what belongs here")
    digests = sorted(needed.digests())
    damaged = [digest[:12] for digest in digests if not _whole(update / "trees" / digest, digest)]
    if damaged:
        return fail(f"damaged or missing: {', '.join(damaged)}", _DEPLOY_AGAIN)
    return ok(f"{len(digests)} artifacts are whole")


def failed(update: Path) -> Finding:
    """The contents that failed their trial here and are not tried again."""
    found = _slots(update)
    held = [each for key, each in found.failed.items() if key not in found.excused] if found else []
    if not held:
        return ok("nothing is quarantined")
    told = [f"generation {each.generation}: {each.reason.splitlines()[0]}" for each in held]
    return warn(
        f"quarantined after {len(told)} failed trials, the last {told[-1]}",
        "If the cause lay outside of it, `lamplight deploy --retry` has it tried once more",
    )


def withdrawn(update: Path) -> Finding:
    """The installed releases that were withdrawn, by the list this board knows."""
    found, known = _slots(update), verify.withdrawn(update / "trusted.json")
    parts = found.running.parts() if found and found.running else []
    hit = [(ref, withdrawal) for ref in parts if (withdrawal := withdrawals.of(known, ref))]
    if not hit:
        return ok(f"none of what runs was withdrawn; {len(known)} withdrawals are known")
    told = [f"{ref.name} version {ref.version}: {withdrawal.because}" for ref, withdrawal in hit]
    return warn(f"withdrawn: {'; '.join(told)}", "Deploy another version, or remove it")


def outbox(path: Path) -> Finding:
    """The records waiting for the shim's acknowledgement."""
    if not path.exists():
        return skip("the agent has not run yet")
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            sizes = dict(database.execute("SELECT stream, SUM(LENGTH(body)) FROM records GROUP BY stream"))
    except sqlite3.Error as error:
        return fail(
            f"{path} cannot be read: {error}", "Restart the agent: it puts a damaged outbox aside and begins anew"
        )
    return judge_backlog(sizes)


def judge_backlog(sizes: dict[str, int]) -> Finding:
    """The waiting bytes of each stream, against its budget."""
    told = ", ".join(f"{size / 1e6:.1f} MB of {stream}" for stream, size in sorted(sizes.items())) or "nothing"
    full = [stream for stream, size in sizes.items() if stream in BUDGETS and size > BUDGETS[stream] // 2]
    if full:
        return warn(
            f"{told} waiting; the oldest {', '.join(sorted(full))} will be dropped",
            "See to it that the board reaches the broker, and that the shim runs",
        )
    return ok(f"{told} waiting")


def _slots(update: Path) -> Slots | None:
    try:
        return slots.load(update / "slots.json")
    except (ProtocolError, OSError):
        return None


def _whole(tree: Path, digest: str) -> bool:
    try:
        return tree.is_dir() and archive.digest(tree) == digest
    except Exception:
        # A damaged tree may trip the reader in any way: it is not whole.
        return False
