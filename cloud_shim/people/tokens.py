"""The tokens of people and programs, and their browsers' sessions: made, recognised, rotated, revoked.

The database has the SHA-256 of each, the holder has the token. All rows are in memory too: every request asks. A
session has the name and the permission of the token that opened it, and ends with it.
"""

import hmac
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete, select

from cloud_shim.database import Database
from cloud_shim.people.identity import GRANTED, OWNER, SHIM, Identity, Permission, unknown
from cloud_shim.people.token_text import digest, new
from cloud_shim.tables import ApiTokenRow
from device.errors import NotFoundError, RejectedError, UsageError
from device.protocol.fields import is_name

SESSION = 7 * 24 * 3600.0
"""Seconds that a browser stays signed in."""


@dataclass(frozen=True)
class _Known:
    identity: Identity
    made: float
    expires: float | None

    def lives(self, now: float) -> bool:
        return self.expires is None or now < self.expires


class Tokens:
    """All tokens of one shim. `changed` is called after one lost its worth, to end what its holder still reads."""

    def __init__(self, database: Database, changed: Callable[[], None]) -> None:
        self._database = database
        self._changed = changed
        self._writing = threading.Lock()
        self._known: tuple[_Known, ...] = ()
        self._load()

    def identify(self, token: str) -> Identity | None:
        """The holder of a token or session; None for an unknown one, or one that has ended."""
        wanted, found = digest(token), None
        now = time.time()
        # All of them are compared, each in constant time: the time taken tells nothing of the token.
        for each in self._known:
            if hmac.compare_digest(each.identity.digest, wanted) and each.lives(now):
                found = each.identity
        return found

    def lives(self, identity: Identity) -> bool:
        """Whether the token or session of an identity is still worth something."""
        now = time.time()
        return any(each.identity == identity and each.lives(now) for each in self._known)

    def listed(self) -> list[dict[str, object]]:
        """Every TOKEN of docs/api.md."""
        return [
            {
                "name": each.identity.name,
                "permission": each.identity.permission.word,
                "made": each.made,
                "sessions": sum(1 for other in self._sessions() if other.identity.name == each.identity.name),
            }
            for each in self._known
            if not each.identity.session
        ]

    def create(self, name: str, permission: Permission) -> str:
        """A new token; RejectedError when the name is taken. Its text is given once."""
        if not is_name(name):
            raise UsageError(f"{name[:80]!r} cannot name a token", "use lower-case letters, digits and '-'")
        token = new()
        with self._writing:
            if name == SHIM or self._of(name):
                remedy = f"another name, or `lamplight token rotate {name}`"
                raise RejectedError(f"The name {name} is taken", "", remedy)
            self._replace(name, permission, token)
        return token

    def rotate(self, name: str) -> str:
        """A new token in place of the one of this name, which is worth nothing from now on, with its sessions."""
        token = new()
        with self._writing:
            self._replace(name, self._one(name).identity.permission, token)
        return token

    def own(self, token: str) -> None:
        """Make this the owner's token; another one, with its sessions, is worth nothing from now on."""
        with self._writing:
            if all(each.identity.digest != digest(token) for each in self._of(OWNER)):
                self._replace(OWNER, Permission.ADMINISTER, token)

    def revoke(self, name: str) -> None:
        """Make the token worthless, with its sessions; RejectedError for the owner's, which is only rotated."""
        with self._writing:
            self._one(name)
            if name == OWNER:
                raise RejectedError("The owner's token stays", "nobody could use the shim", "`lamplight token rotate`")
            with self._database.write() as session:
                session.execute(delete(ApiTokenRow).where(ApiTokenRow.name == name))
            self._load()
        self._changed()

    def open_session(self, identity: Identity) -> str:
        """A new session for a browser of this identity; UnknownError when the identity is worth nothing meanwhile."""
        token, now = new(), time.time()
        with self._writing:
            if not self.lives(identity):
                raise unknown(given=True)
            with self._database.write() as session:
                session.execute(delete(ApiTokenRow).where(ApiTokenRow.expires < now))
                session.add(_row(identity.name, identity.permission, token, now + SESSION))
            self._load()
        return token

    def _replace(self, name: str, permission: Permission, token: str) -> None:
        with self._database.write() as session:
            session.execute(delete(ApiTokenRow).where(ApiTokenRow.name == name))
            session.add(_row(name, permission, token))
        self._load()
        self._changed()

    def _load(self) -> None:
        with self._database.read() as session:
            rows = session.scalars(select(ApiTokenRow).order_by(ApiTokenRow.made)).all()
        self._known = tuple(_Known(_identity(row), row.made, row.expires) for row in rows)

    def _of(self, name: str) -> list[_Known]:
        return [each for each in self._known if each.identity.name == name and not each.identity.session]

    def _one(self, name: str) -> _Known:
        found = self._of(name)
        if not found:
            known = ", ".join(sorted(each.identity.name for each in self._known if not each.identity.session))
            raise NotFoundError(f"There is no token {name[:80]!r}", f"there are: {known}")
        return found[0]

    def _sessions(self) -> list[_Known]:
        now = time.time()
        return [each for each in self._known if each.identity.session and each.lives(now)]


def _row(name: str, permission: Permission, token: str, expires: float | None = None) -> ApiTokenRow:
    return ApiTokenRow(
        sha256=digest(token),
        name=name,
        permission=permission.word,
        made=time.time(),
        expires=expires,
        session=expires is not None,
    )


def _identity(row: ApiTokenRow) -> Identity:
    return Identity(row.name, GRANTED[row.permission], row.sha256, row.session)
