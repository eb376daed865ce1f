#!/usr/bin/env python3
"""The board's TUF client as the command that TUF's conformance suite runs: `init`, `refresh` and `download`.

The protocol is that suite's CLIENT-CLI.md (https://github.com/theupdateframework/tuf-conformance). Metadata is judged
by the code that judges a DESIRED document's; only where it comes from differs: a web server, file by file. A board has
no `download`: artifacts reach it in chunks (device/update/fetching/download.py). Here one comes from that server, and
is held against the length and digest that a board would go by.
"""

import argparse
import hashlib
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from device.errors import LamplightError, NotFoundError, UntrustedError
from device.trust import rules, verify

if TYPE_CHECKING:
    from tuf.ngclient import Updater

REPOSITORY = "image"
# Not beside the trusted metadata: the suite counts the files there.
_INITIAL = "initial"


class Served(Mapping[str, bytes]):
    """A web server's metadata by file name, each fetched when it is asked for; a server cannot be listed."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __getitem__(self, name: str) -> bytes:
        try:
            return fetched(self._url, name)
        except NotFoundError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        raise TypeError("a server's files cannot be listed")

    def __len__(self) -> int:
        raise TypeError("a server's files cannot be counted")


def fetched(url: str, name: str) -> bytes:
    """What lies at `url`/`name`; raises NotFoundError, or LamplightError for any other failure."""
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/{name}", timeout=60) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        kind = NotFoundError if error.code in (403, 404) else LamplightError
        raise kind(f"{name} could not be fetched", str(error)) from None
    except OSError as error:
        raise LamplightError(f"{name} could not be fetched", str(error)) from None


def init(arguments: argparse.Namespace) -> None:
    """Keep the root to start from; nothing is checked or fetched."""
    folder = arguments.metadata_dir / _INITIAL
    folder.mkdir(exist_ok=True)
    (folder / f"{REPOSITORY}-root.json").write_bytes(arguments.trusted_root.read_bytes())


def refresh(arguments: argparse.Namespace) -> None:
    """Bring the trusted metadata up to date; raises UntrustedError."""
    _client(arguments)


def download(arguments: argparse.Namespace) -> None:
    """Bring the metadata up to date, and the named artifacts that it lists, in order; raises UntrustedError."""
    client = _client(arguments)
    for name in arguments.target_name:
        _download(arguments, client, name)


def _download(arguments: argparse.Namespace, client: "Updater", target_name: str) -> None:
    listed = verify.target(REPOSITORY, client, target_name, time.time())
    if listed is None:
        raise NotFoundError(f"{target_name} is not listed")
    kept = arguments.target_dir / urllib.parse.quote(target_name, "")
    if kept.exists() and _is(kept.read_bytes(), listed):
        return
    folder, slash, name = target_name.rpartition("/")
    # TUF 6.2: a consistent snapshot's artifacts have their digest before their name.
    prefix = f"{listed.sha256}." if client._trusted_set.root.consistent_snapshot else ""
    data = fetched(arguments.target_base_url, urllib.parse.quote(f"{folder}{slash}{prefix}{name}"))
    if not _is(data, listed):
        raise UntrustedError(f"{target_name} is not the artifact that is listed")
    kept.write_bytes(data)


def _client(arguments: argparse.Namespace) -> "Updater":
    folder = arguments.metadata_dir
    return verify.refreshed(REPOSITORY, Served(arguments.metadata_url), folder, folder / _INITIAL, time.time())


def _is(data: bytes, listed: rules.Target) -> bool:
    return (len(data), hashlib.sha256(data).hexdigest()) == listed


def main() -> int:
    """Exit codes are the suite's: 0, or 1 for whatever went wrong."""
    arguments = _parser().parse_args()
    try:
        {"init": init, "refresh": refresh, "download": download}[arguments.command](arguments)
    except LamplightError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--metadata-dir", type=Path, required=True)
    parser.add_argument("--metadata-url")
    parser.add_argument("--target-name", action="append", default=[])
    parser.add_argument("--target-base-url")
    parser.add_argument("--target-dir", type=Path)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("init").add_argument("trusted_root", type=Path)
    for name in ("refresh", "download"):
        commands.add_parser(name)
    return parser


if __name__ == "__main__":
    sys.exit(main())
