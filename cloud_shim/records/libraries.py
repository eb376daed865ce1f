"""Keeps the libraries of each device's agent, each with the time of its version's first report."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from cloud_shim.tables import LibrariesRow

# By the library's name: its "version", and the time "since" its first report.
Known = dict[str, dict[str, Any]]


def note(session: Session, device: str, told: Mapping[str, str], now: float) -> None:
    """Take over the report of `now`. An older agent reports none; then all stays as it was."""
    row = session.get(LibrariesRow, device)
    before: Known = json.loads(row.body) if row else {}
    after = noted(before, told, now) if told else before
    if after != before:
        session.merge(LibrariesRow(device=device, body=json.dumps(after)))


def noted(before: Known, told: Mapping[str, str], now: float) -> Known:
    """The libraries in `told`; an unchanged version keeps its time.

    >>> noted({"tuf": {"version": "6.0", "since": 1.0}}, {"tuf": "6.0", "cronsim": "2.6"}, 5.0)
    {'tuf': {'version': '6.0', 'since': 1.0}, 'cronsim': {'version': '2.6', 'since': 5.0}}
    """
    new = {name: {"version": version, "since": now} for name, version in told.items()}
    return {name: before[name] if _same(before.get(name), each) else each for name, each in new.items()}


def known(session: Session, device: str) -> Known:
    """The libraries of the device; empty while unreported."""
    row = session.get(LibrariesRow, device)
    return json.loads(row.body) if row else {}


def _same(before: dict[str, Any] | None, now: dict[str, Any]) -> bool:
    return before is not None and before["version"] == now["version"]
