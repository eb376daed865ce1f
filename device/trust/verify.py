"""`python -m device.trust.verify`: believes a DESIRED document, or says why not. One document a process.

Reads the document on standard input, takes a `Question` as JSON in its only argument and prints its verdict as JSON. It
runs python-tuf's client over the document's texts in a scratch folder, the only place it changes: the new trusted
metadata is part of the verdict, and the agent persists it (verifier.py). Only one well-formed verdict counts: any other
end of this process is a rejection.
"""

import json
import re
import resource
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from device.die_with_parent import die_with_parent
from device.errors import LamplightError, UntrustedError
from device.private_memory import keep_memory_private
from device.protocol.deployment import Deployment, decode
from device.protocol.errors import ProtocolError
from device.protocol.fields import table, text
from device.protocol.withdrawn import FIELD, Withdrawal
from device.protocol.withdrawn import parse as withdrawals
from device.trust import rules
from device.trust.floor import Clock, Known, Role, goes_back, present, risen, without_the_signers

if TYPE_CHECKING:
    from tuf.api._payload import Signed
    from tuf.ngclient import FetcherInterface, Updater

REPOSITORIES = ("director", "image")
# The roles the shim signs from day to day; the keys of all others can be kept off it.
_ONLINE = {"director": ("targets", "snapshot", "timestamp"), "image": ("snapshot", "timestamp")}
# Beside the metadata trusted so far, as they must be kept together with it: the time floor, and its part proved by the
# board's own clock, in seconds since 1970. An agent before 0.2.0 knows the first only, and drops the second.
TIME, PROVED = "time.json", "proved.json"
# The names of trusted metadata: they become file names.
TRUSTED_NAME = re.compile(r"(time|proved)\.json|(director|image)/(root_history/[0-9]+\.root|[a-z0-9-]+)\.json")
# Far above what a good document needs; a hostile one must not take the board along.
_MAX_CPU_SECONDS = 20
_MAX_FILE_BYTES = 8 * 1024 * 1024
_MAX_DATA_BYTES = 256 * 1024 * 1024
# The end of the year 9998, in seconds since 1970: the last one every clock here can name.
_LATEST = 253_370_764_799


class Question(NamedTuple):
    """The agent's question: its name, the lowest generation it takes, the time on its clock, and where things lie.

    `signer` is the trust.Signer of `floor`. `clock` is in seconds since 1970, and may be wrong; `synchronised` says
    whether a time server has set it. `roots` is the folder with director-root.json and image-root.json, `trusted` the
    file with the metadata trusted so far (it may be missing), `scratch` an empty folder to work in. `parent` is the
    asking process: the answer is for it alone.
    """

    fleet: str
    device: str
    floor: int
    signer: Sequence[int | str]
    clock: float
    synchronised: bool
    roots: str
    trusted: str
    scratch: str
    parent: int


def main() -> None:
    """Answer on standard output; exit code 0 whenever there is an answer."""
    keep_memory_private()
    _limit()
    question = Question(**json.loads(sys.argv[1]))
    die_with_parent(question.parent)
    sys.stdout.write(answer(question, sys.stdin.buffer.read(rules.MAX_DESIRED + 1)))


def answer(question: Question, payload: bytes) -> str:
    """The verdict on a document, good or bad, as JSON."""
    try:
        verdict = judge(question, payload)
    except ProtocolError as error:
        verdict = _refusal(UntrustedError("The desired state is malformed", str(error)), payload)
    except LamplightError as error:
        verdict = _refusal(error, payload)
    return json.dumps(verdict)


def judge(question: Question, payload: bytes) -> dict[str, object]:
    """The verdict on a believed DESIRED document; raises UntrustedError or ProtocolError for any other."""
    desired = rules.read(payload)
    trusted = _trusted(Path(question.trusted))
    clock, known = Clock(question.clock, question.synchronised), _known(trusted)
    try:
        return _believed(question, desired, trusted, Path(question.scratch) / "first", present(clock, known))
    except ExpiredError as expired:
        alone = without_the_signers(clock, known)
        if alone >= known.floor:
            raise
        try:
            return _believed(question, desired, trusted, Path(question.scratch) / "again", alone, known.floor)
        except UntrustedError:
            # The judgement by the floor is the one to tell.
            raise expired from None


def _believed(
    question: Question,
    desired: rules.Desired,
    trusted: Mapping[str, str],
    scratch: Path,
    now: float,
    floor: float = 0.0,
) -> dict[str, object]:
    """The verdict, with expiry judged by the time `now`. Before a `floor` only a document is believed that shows the
    floor to be too far ahead.
    """
    _lay_out(trusted, scratch)
    clients = {
        name: refreshed(name, files, scratch / name, Path(question.roots), now)
        for name, files in (("director", desired.director), ("image", desired.image))
    }
    deployment = _deployment(clients["director"], desired.deployment, now)
    signer = _signer(clients["director"])
    # A list nobody here can read is no list to keep.
    withdrawals(_verified(clients["image"])["targets"].unrecognized_fields.get(FIELD, []))
    lowest = rules.lowest(question.floor, rules.signer(question.signer), signer)
    rules.addressed(deployment, question.fleet, question.device, lowest)
    for ref in deployment.targets():
        rules.agree(ref, *(target(name, client, ref.target, now) for name, client in clients.items()))
    if floor and not goes_back(floor, _roles(clients, trusted)):
        raise UntrustedError("The document is no newer than what was believed before")
    times = risen(Clock(question.clock, question.synchronised), _known(trusted), now, *_signed_times(clients))
    for name, seconds in zip((TIME, PROVED), times, strict=True):
        (scratch / name).write_text(json.dumps(seconds))
    return {"ok": True, "deployment": desired.deployment.decode(), "signer": signer, "trusted": _collect(scratch)}


def _refusal(error: LamplightError, payload: bytes) -> dict[str, object]:
    return {
        "ok": False,
        "what": error.what,
        "why": error.why,
        "remedy": error.remedy,
        "claimed": rules.claimed_generation(payload),
    }


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_MAX_CPU_SECONDS, _MAX_CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MAX_FILE_BYTES, _MAX_FILE_BYTES))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (_MAX_DATA_BYTES, _MAX_DATA_BYTES))


def _lay_out(trusted: Mapping[str, str], scratch: Path) -> None:
    """Put the metadata trusted so far where python-tuf looks for it."""
    for name in REPOSITORIES:
        (scratch / name / "root_history").mkdir(parents=True)
    for name, content in trusted.items():
        (scratch / name).write_text(content)


def _trusted(path: Path) -> dict[str, str]:
    """The metadata trusted so far. A damaged file counts as none: the roots and the floor still hold."""
    try:
        files = table(json.loads(path.read_bytes()), "trusted")
        trusted = {name: text(files, name, "trusted") for name in files if TRUSTED_NAME.fullmatch(name)}
        _known(trusted)
        return trusted
    except (FileNotFoundError, ValueError, RecursionError, ProtocolError):
        return {}


def withdrawn(path: Path) -> list[Withdrawal]:
    """The withdrawn releases, by the metadata trusted so far; none before the first document, or in a damaged file."""
    try:
        targets = json.loads(_trusted(path).get("image/targets.json", "{}"))
        return withdrawals(table(table(targets, "targets").get("signed", {}), "signed").get(FIELD, []))
    except (OSError, ValueError, RecursionError):
        return []


def _time(written: str) -> float:
    """Seconds since 1970; raises ValueError for anything but a time."""
    seconds = json.loads(written)
    if not isinstance(seconds, int | float) or not 0 <= seconds <= _LATEST:
        raise ValueError(f"{written[:80]!r} is no time")
    return float(seconds)


def _known(trusted: Mapping[str, str]) -> Known:
    """What the board knows of the time. A floor from an agent before 0.2.0 counts as said by the signers alone."""
    return Known(_time(trusted.get(TIME, "0")), _time(trusted.get(PROVED, "0")))


def _signed_times(clients: Mapping[str, "Updater"]) -> tuple[list[float], list[float]]:
    """When the repositories say they signed, and the ends of their offline signatures."""
    issued = [_seconds(_verified(each)["timestamp"].unrecognized_fields.get("issued")) for each in clients.values()]
    ends = [
        signed.expires.timestamp()
        for repository, each in clients.items()
        for role, signed in _verified(each).items()
        if role not in _ONLINE[repository]
    ]
    return issued, ends


def _roles(clients: Mapping[str, "Updater"], trusted: Mapping[str, str]) -> Iterator[Role]:
    """Every role of the document, beside its version trusted before."""
    for repository, client in clients.items():
        before = _versions(repository, trusted)
        for role, signed in _verified(client).items():
            yield Role(signed.version, before.get(role, 0), signed.expires.timestamp())


def _versions(repository: str, trusted: Mapping[str, str]) -> dict[str, int]:
    """The trusted version of each role. Of a delegated one the snapshot knows it, also when no document had it."""
    roots = [name.rpartition("/")[2] for name in trusted if name.startswith(f"{repository}/root_history/")]
    try:
        snapshot, timestamp = (json.loads(trusted[f"{repository}/{each}.json"])["signed"] for each in _ONLINE["image"])
        return {
            **{name.removesuffix(".json"): int(meta["version"]) for name, meta in snapshot["meta"].items()},
            "snapshot": int(snapshot["version"]),
            "timestamp": int(timestamp["version"]),
            "root": max(int(name.removesuffix(".root.json")) for name in roots),
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UntrustedError("The metadata trusted before is damaged", repr(error)) from None


def _verified(client: "Updater") -> dict[str, "Signed"]:
    """The roles verified so far, by name."""
    found: dict[str, Signed] = client._trusted_set._trusted_set  # pyright: ignore[reportPrivateUsage]
    return found


def _seconds(issued: object) -> float:
    """The signed time at which metadata was made; 0 when it says none: the board learns nothing from it."""
    return float(issued) if isinstance(issued, int) else 0.0


def _collect(scratch: Path) -> dict[str, str]:
    """The metadata trusted now, by its path in the scratch folder."""
    files = (path for path in scratch.rglob("*.json") if not path.is_symlink())
    return {path.relative_to(scratch).as_posix(): path.read_text() for path in files}


def refreshed(name: str, files: Mapping[str, bytes], folder: Path, roots: Path, now: float) -> "Updater":
    """A repository's client: it trusts `files` as far as they verify, starting from `roots` and the metadata in
    `folder`.

    `files` are metadata by file name, `now` the seconds since 1970 to judge expiry by. The trusted metadata is left in
    `folder`, also when it ends with an UntrustedError.
    """
    # Imported here, for it takes most of this process's time: a malformed document never gets this far.
    from tuf.ngclient import Updater

    root = (roots / f"{name}-root.json").read_bytes()
    with _Explained(name, now):
        updater = Updater(str(folder), "desired:", fetcher=_fetcher(files), bootstrap=root)
        # python-tuf takes the time from the system's clock when it is made, and offers no other way to give it one.
        updater._trusted_set.reference_time = datetime.fromtimestamp(now, UTC)  # pyright: ignore[reportPrivateUsage]
        updater.refresh()
    return updater


def _signer(director: "Updater") -> rules.Signer:
    root = director._trusted_set.root  # pyright: ignore[reportPrivateUsage]
    return rules.Signer(root.version, ",".join(sorted(root.roles["targets"].keyids)))


def target(name: str, client: "Updater", path: str, now: float) -> rules.Target | None:
    """A repository's entry for `path`, through any delegations on the way; None when it has none."""
    with _Explained(name, now):
        found = client.get_targetinfo(path)
    return found and rules.Target(found.length, found.hashes.get("sha256", ""))


def _deployment(director: "Updater", text: bytes, now: float) -> Deployment:
    from tuf.api.exceptions import LengthOrHashMismatchError

    with _Explained("director", now):
        listed = director.get_targetinfo("deployment.json")
    if listed is None or "sha256" not in listed.hashes:
        raise UntrustedError("The director has signed no deployment")
    try:
        listed.verify_length_and_hashes(text)
    except LengthOrHashMismatchError as error:
        raise UntrustedError("The deployment is not the one that the director has signed", str(error)) from None
    return decode(text)


class ExpiredError(UntrustedError):
    """A document that is too old, and has no other fault."""


class _Explained:
    """Turns python-tuf's errors into ours; `now` is the time that expiry was judged by."""

    def __init__(self, repository: str, now: float) -> None:
        self._repository = repository
        self._now = datetime.fromtimestamp(now, UTC)

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from tuf.api import exceptions

        if isinstance(error, exceptions.ExpiredMetadataError):
            raise ExpiredError(
                f"The {self._repository}'s signatures have expired",
                f"{error}, and by the board's clock, or what it verified before, it is {self._now:%Y-%m-%d %H:%M} UTC",
                "Set the clock if it is wrong; otherwise deploy again, which signs anew, or `lamplight keys renew`. "
                "What runs goes on running",
            ) from None
        if isinstance(error, (exceptions.RepositoryError, exceptions.DownloadError)):
            raise UntrustedError(f"The {self._repository}'s signed metadata does not hold", str(error)) from None


def _fetcher(files: Mapping[str, bytes]) -> "FetcherInterface":
    """Serves python-tuf the document's texts in place of a server's files."""
    from tuf.api.exceptions import DownloadHTTPError
    from tuf.ngclient import FetcherInterface

    class Fetcher(FetcherInterface):
        def _fetch(self, url: str) -> list[bytes]:  # pyright: ignore[reportIncompatibleMethodOverride]
            name = url.rpartition("/")[2]
            found = files.get(name)
            if found is None:
                # As a server would answer; python-tuf looks for one root more than there is.
                raise DownloadHTTPError(f"The document has no {name}", 404)
            return [found]

    return Fetcher()


if __name__ == "__main__":
    main()
