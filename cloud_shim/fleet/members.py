"""The members of the fleet: adds devices, replaces and takes away their passwords, and tells the broker.

A password lasts LIFETIME; from RENEW on the shim takes the next one offered by the device. With an ended password a
device can only offer the next. The decision to let a board in is enrolment.py's.
"""

import threading
import time
from collections.abc import Callable, Mapping

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

import boards
from cloud_shim.database import Database
from cloud_shim.fleet.changes import Changes
from cloud_shim.tables import BoardKeyRow, BoardRow, CredentialRow, DeviceRow
from device.enrol.secret import hash_password, new_password
from device.errors import NotFoundError, UsageError
from device.protocol.fields import NAME_LENGTH, is_name

_DAY = 86400.0
RENEW, LIFETIME = 90 * _DAY, 180 * _DAY

Admit = Callable[[Mapping[str, str], set[str]], None]
"""Lets exactly these devices connect to the broker: password hashes by name, and the names limited to asking."""


def is_due(made: float, now: float) -> bool:
    """Whether a password is replaced when the device offers another. So is one from a time to come: the shim's clock
    ran ahead then, and the password would last too long.
    """
    return now - made >= RENEW or made - now >= _DAY


def has_ended(made: float, now: float) -> bool:
    """Whether a password is good only for getting another."""
    return now - made >= LIFETIME


class Members:
    """The devices of one fleet, and their passwords' hashes."""

    def __init__(
        self,
        database: Database,
        changes: Changes,
        admit: Admit,
        clock: Callable[[], float] = time.time,
        doubt: Callable[[], str] = str,
    ) -> None:
        """`doubt` says why the clock may be wrong, "" when all is well: in doubt no password ends."""
        self._database = database
        self._changes = changes
        self._admit = admit
        self._clock = clock
        self._doubt = doubt
        self._admitting = threading.Lock()
        self._ended: set[str] = set()

    def provision(self, name: str, board: str, simulation: str | None) -> str:
        """Make a device known, or known again; returns its new password, and keeps only its hash.

        `simulation` is the socket of its simulated hardware. NotFoundError for an unknown board.
        """
        if simulation is not None and not boards.load(board).simulated:
            raise UsageError(f"The board {board} is real", "a simulation's socket was given for it")
        password = new_password()
        self.enrol(name, board, hash_password(password), simulation)
        return password

    def enrol(self, name: str, board: str, hash: str, simulation: str | None = None) -> None:
        """Make a device known, or known again, by the password with this hash. NotFoundError for an unknown board."""
        if not is_name(name):
            raise UsageError(
                f"{name!r} cannot name a device", f"lower-case letters, digits and '-', at most {NAME_LENGTH}"
            )
        boards.load(board)
        with self._database.write() as session:
            row = session.get(DeviceRow, name) or DeviceRow(name=name, created=self._clock())
            row.board, row.simulation = board, simulation
            # A device made anew counts its sessions from the start.
            row.session = -1
            session.add(row)
            self._set_password(session, row, hash)
            # The next board to come in is the device, whichever it was before (twins.py).
            session.execute(delete(BoardRow).where(BoardRow.device == name))
            session.execute(delete(BoardKeyRow).where(BoardKeyRow.device == name))
        self.admit_all()
        self._changes.device(name)

    def has(self, name: str, hash: str = "") -> bool:
        """Whether there is such a device. With a `hash`: whether it has this password and is in good standing."""
        with self._database.read() as session:
            row, credential = session.get(DeviceRow, name), session.get(CredentialRow, name)
            if row is None or not hash:
                return row is not None
            return row.credential == hash and not (credential and credential.revoked)

    def since(self, name: str) -> float:
        """The time the device got its password, in seconds since 1970; 0 when it has none, or the time is unknown."""
        with self._database.read() as session:
            credential = session.get(CredentialRow, name)
            return credential.made if credential else 0.0

    def due(self, name: str) -> bool:
        """Whether it is time for a new password; a device from before there was an end to them is due."""
        with self._database.read() as session:
            credential = session.get(CredentialRow, name)
            return credential is None or is_due(credential.made, self._clock())

    def renew(self, name: str, hash: str) -> None:
        """The device has another password from the next `admit_all` on."""
        with self._database.write() as session:
            self._set_password(session, session.get_one(DeviceRow, name), hash)

    def revoke(self, name: str) -> None:
        """Shut the device out for good: it is disconnected, and its password is worthless. NotFoundError."""
        with self._database.write() as session:
            if session.get(DeviceRow, name) is None:
                raise NotFoundError(f"There is no device {name!r}", "", "`lamplight devices` lists them")
            session.merge(CredentialRow(device=name, made=self._clock(), revoked=True))
            session.get_one(DeviceRow, name).online = False
            # The board that was to be this device is nobody again (naming.py).
            session.execute(delete(BoardKeyRow).where(BoardKeyRow.name == name))
        self.admit_all()
        self._changes.device(name)

    def admit_all(self) -> None:
        """Tell the broker the devices to let in, and those limited to asking."""
        with self._admitting:
            hashes, ended = self._hashes()
            self._ended = ended
            self._admit(hashes, ended)

    def alone(self, change: Callable[[], None]) -> None:
        """Do `change`, to the broker's files, while all other changes wait."""
        with self._admitting:
            change()

    def look(self) -> None:
        """See whether a password has ended since the last time."""
        ended = self._hashes()[1]
        if ended != self._ended:
            self.admit_all()
            for name in ended:
                self._changes.device(name)

    def _hashes(self) -> tuple[dict[str, str], set[str]]:
        now, doubt = self._clock(), self._doubt()
        with self._database.read() as session:
            kept = {row.device: row for row in session.scalars(select(CredentialRow))}
            revoked = {name for name, row in kept.items() if row.revoked}
            rows = session.scalars(select(DeviceRow))
            hashes = {row.name: row.credential for row in rows if row.name not in revoked}
        ended = {name for name in hashes if name in kept and has_ended(kept[name].made, now)}
        # A device that is let in says what time it is, and so ends the doubt.
        return hashes, set[str]() if doubt else ended

    def _set_password(self, session: Session, row: DeviceRow, hash: str) -> None:
        row.credential = hash
        session.flush()
        session.merge(CredentialRow(device=row.name, made=self._clock(), revoked=False))
