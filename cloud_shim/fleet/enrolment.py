"""Requests to be let in: by boards still without a password, and by devices for a new one.

A board comes in by a person's word or a card's token. The answer goes to the board's own topic, and once more whenever
it asks again. The list of requests is bounded: the holder of a card can ask as often, and under as many names, as he
likes. The passwords are kept by members.py.
"""

import hashlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

import boards
from cloud_shim.broker.session import Link
from cloud_shim.database import Database
from cloud_shim.fleet.members import Members
from cloud_shim.fleet.views import Json
from cloud_shim.tables import ClaimRow, TokenRow
from device.errors import LamplightError, NotFoundError, OfflineError, RejectedError
from device.protocol import enrolment, topics
from device.protocol.enrolment import ACCEPTED, KEPT, REFUSED, REJECTED, WAITING, Answer, Ask
from device.protocol.errors import ProtocolError
from device.protocol.topics import ENROL_USER, Topic

MOST_CLAIMS, MOST_REJECTED = 64, 256
TOKEN_LIFETIME = 30 * 86400.0
_FORGOTTEN = 7 * 86400.0  # seconds without a word after which a board that waited is taken off the list
_NOTED = 30.0  # seconds between two notes of a board that keeps asking: each is a write to the disk

logger = logging.getLogger(__name__)


class Enrolment:
    """The door of one fleet."""

    def __init__(
        self,
        database: Database,
        members: Members,
        link: Link,
        clock: Callable[[], float] = time.time,
        doubt: Callable[[], str] = str,
        displaced: Callable[[str, Ask], Answer | None] = lambda device, ask: None,
    ) -> None:
        """`doubt` says why the clock may be wrong, "" when all is well: in doubt no card grows too old. `displaced`
        gives the answer to a board that is connected as a device and is not it, None for the device.
        """
        self._database = database
        self._members = members
        self._link = link
        self._clock = clock
        self._doubt = doubt
        self._displaced = displaced
        self._deciding = threading.Lock()

    def asked(self, topic: Topic, payload: bytes) -> None:
        """Answer one request; ProtocolError for a malformed one. The topic proves the sender's user and client id."""
        user, client = topic.device, topic.leaf
        ask = enrolment.ask(payload)
        if user != ENROL_USER:
            self._renew(user, client, ask)
            return
        if client != enrolment.client_id(ask.hash):
            raise ProtocolError("ask: the client id is not of this hash")
        with self._deciding:
            answer = self._decide(client, ask)
        self._answer(user, client, answer)

    def claims(self) -> list[Json]:
        """The boards still to be let in, the first to ask first. Those gone away since are left out."""
        with self._database.read() as session:
            here = (ClaimRow.state == REJECTED) | (ClaimRow.last >= self._clock() - _FORGOTTEN)
            rows = list(session.scalars(select(ClaimRow).where(here).order_by(ClaimRow.first)))
        return [_view(row, rows, self._members.has(row.name)) for row in rows]

    def accept(self, which: str, again: bool = False) -> str:
        """Let a board in, by its name or fingerprint; gives its name.

        RejectedError when two boards ask for the name, or, unless `again`, when a device has it. With `again` the old
        device is shut out.
        """
        with self._deciding:
            row = self._one(which)
            self.check_free(row.name, again)
            self._members.enrol(row.name, row.board, row.credential)
            self._forget(row.client)
        self._answer(ENROL_USER, row.client, Answer(ACCEPTED))
        return row.name

    def admit(self, name: str, board: str, hash: str) -> None:
        """Let the holder of the password with this hash in, as a new device; nothing happens when it is in already.

        RejectedError when another one has the name.
        """
        with self._deciding:
            if self._members.has(name, hash):
                return
            if self._members.has(name):
                raise RejectedError(f"There is a device {name} already", "", "choose another name")
            self._members.enrol(name, board, hash)

    def reject(self, which: str) -> list[str]:
        """Let a board wait no more, by name (all that ask for it) or fingerprint; "" for all. Gives fingerprints."""
        with self._deciding, self._database.write() as session:
            rows = [row for row in _called(session, which) if row.state != REJECTED]
            for row in rows:
                row.state, row.reason = REJECTED, ""
            _bound_rejected(session)
        if which and not rows:
            raise _nobody(which)
        for row in rows:
            self._answer(ENROL_USER, row.client, Answer(REJECTED))
        return [enrolment.fingerprint(row.credential) for row in rows]

    def check_free(self, name: str, again: bool) -> None:
        """RejectedError when a device has this name, unless `again`: then another board may replace it."""
        if self._members.has(name) and not again:
            raise _taken(name)

    def token(self, name: str, again: bool) -> str:
        """A token for one board: the first to bring it and ask to be `name` within TOKEN_LIFETIME is let in.

        With `again` it takes the place of the device of that name, if there is one now, and shuts it out. A card made
        for a free name replaces nobody: a device may have taken the name since.
        """
        token = secrets.token_urlsafe(32)
        again = again and self._members.has(name)
        doubt = self._doubt()
        with self._database.write() as session:
            if not doubt:
                session.execute(delete(TokenRow).where(TokenRow.made < self._clock() - 2 * TOKEN_LIFETIME))
            session.add(TokenRow(sha256=_digest(token), name=name, again=again, made=self._clock()))
        return token

    def void_cards(self, renew: Callable[[], None]) -> int:
        """Make unused cards worthless: their holders can neither come in nor ask. Gives how many tokens ended.

        `renew` replaces the password common to all of them.

        RejectedError while boards wait: the password on the card is their only way to hear an answer.
        """
        with self._deciding:
            waiting = [str(each["name"]) for each in self.claims() if each["state"] == WAITING]
            if waiting:
                raise RejectedError(
                    "Boards wait to be let in", ", ".join(waiting), "accept or reject them first: `lamplight devices`"
                )
            with self._database.write() as session:
                unused = list(session.scalars(select(TokenRow).where(TokenRow.spent.is_(None))))
                for row in unused:
                    session.delete(row)
            self._members.alone(renew)
        return len(unused)

    def revoke(self, device: str) -> None:
        """Shut a device out for good; its card's token serves its board no second time. NotFoundError."""
        self._members.revoke(device)
        with self._database.write() as session:
            session.execute(delete(TokenRow).where(TokenRow.name == device, TokenRow.spent.is_not(None)))

    def _decide(self, client: str, ask: Ask) -> Answer:
        """The answer to a board still without a password."""
        if self._members.has(ask.name, ask.hash):
            return Answer(ACCEPTED)
        try:
            boards.load(ask.board)
            if ask.token:
                return self._by_token(client, ask)
        except LamplightError as error:
            return self._note(client, ask, Answer(REFUSED, str(error)))
        return self._note(client, ask, Answer(WAITING))

    def _by_token(self, client: str, ask: Ask) -> Answer:
        """Let the board in; RejectedError when its token is worthless."""
        mark, doubt = enrolment.fingerprint(ask.hash), self._doubt()
        with self._database.write() as session:
            token = session.get(TokenRow, _digest(ask.token))
            if token is None or token.name != ask.name:
                raise RejectedError("The card's token is not one for this name")
            # A token serves only once: else a board that was replaced since would take the name back.
            if token.spent is not None and (token.by != mark or self._members.since(ask.name) >= token.spent):
                raise RejectedError("The card's token was used before", f"by the board {token.by}")
            if self._clock() - token.made > TOKEN_LIFETIME and not doubt:
                raise RejectedError("The card's token is too old", "it is good for 30 days")
            if self._members.has(ask.name) and not token.again:
                raise RejectedError(f"There is a device {ask.name} already")
            # Spent before it has served: after an interruption in between, only the same board can go on with it.
            token.spent, token.by = self._clock(), mark
        self._members.enrol(ask.name, ask.board, ask.hash)
        self._forget(client)
        logger.info("%s was let in by its card's token (%s)", ask.name, mark)
        return Answer(ACCEPTED)

    def _note(self, client: str, ask: Ask, answer: Answer) -> Answer:
        """Keep the request; an earlier decision about it stands."""
        now = self._clock()
        with self._database.read() as session:
            row = session.get(ClaimRow, client)
        if row is not None and (row.state == REJECTED or 0 <= now - row.last < _NOTED):
            return Answer(row.state, row.reason)
        with self._database.write() as session:
            if row is None and _is_full(session, now):
                return Answer(REFUSED, "too many boards wait to be let in")
            first = row.first if row else now
            told = {"name": ask.name, "board": ask.board, "serial": ask.serial, "credential": ask.hash}
            state = {"state": answer.state, "reason": answer.reason, "first": first, "last": now}
            session.merge(ClaimRow(client=client, **told, **state))
        if row is None:
            logger.warning("a board asks to be %s (%s): %s", ask.name, enrolment.fingerprint(ask.hash), answer.state)
        return answer

    def _renew(self, device: str, client: str, ask: Ask) -> None:
        """A device offers its next password. It hears of it first: the broker ends its connection then."""
        if ask.name != device:
            raise ProtocolError(f"ask: {device} asks for the password of {ask.name}")
        if answer := self._displaced(device, ask):
            self._answer(device, client, answer)
        elif self._members.has(device, ask.hash):
            self._answer(device, client, Answer(ACCEPTED))
        elif self._members.has(device) and self._members.due(device):
            self._members.renew(device, ask.hash)
            self._answer(device, client, Answer(ACCEPTED))
            self._members.admit_all()
        else:
            self._answer(device, client, Answer(KEPT))

    def _one(self, which: str) -> ClaimRow:
        with self._database.read() as session:
            rows = _called(session, which)
        open_rows = [row for row in rows if row.state == WAITING] or rows
        if not open_rows:
            raise _nobody(which)
        if len(open_rows) > 1:
            raise RejectedError(
                f"{len(open_rows)} boards ask to be {which}",
                "; ".join(_described(row) for row in open_rows),
                "`lamplight devices accept FINGERPRINT` with the one that the right board logs",
            )
        return open_rows[0]

    def _forget(self, client: str) -> None:
        with self._database.write() as session:
            session.execute(delete(ClaimRow).where(ClaimRow.client == client))

    def _answer(self, user: str, client: str, answer: Answer) -> None:
        topic = topics.enrolment(self._link.fleet, user, client, "answer")
        try:
            self._link.send(topic, answer.encode())
        except OfflineError:
            logger.info("could not answer on %s; it will ask again", topic)


def _is_full(session: Session, now: float) -> bool:
    session.execute(delete(ClaimRow).where(ClaimRow.state != REJECTED, ClaimRow.last < now - _FORGOTTEN))
    open_claims = session.scalar(select(func.count()).select_from(ClaimRow).where(ClaimRow.state != REJECTED))
    return (open_claims or 0) >= MOST_CLAIMS


def _bound_rejected(session: Session) -> None:
    newest = (
        select(ClaimRow.client).where(ClaimRow.state == REJECTED).order_by(ClaimRow.last.desc()).limit(MOST_REJECTED)
    )
    kept = set(session.scalars(newest))
    session.execute(delete(ClaimRow).where(ClaimRow.state == REJECTED, ClaimRow.client.not_in(kept)))


def _called(session: Session, which: str) -> list[ClaimRow]:
    """The claims with this fingerprint, or else this name; all for ""."""
    rows = list(session.scalars(select(ClaimRow).order_by(ClaimRow.first)))
    # The fingerprint first: a board may take another's for its name, to get in its way.
    marked = [row for row in rows if enrolment.fingerprint(row.credential) == which]
    return marked or [row for row in rows if which in ("", row.name)]


def _view(row: ClaimRow, rows: Sequence[ClaimRow], taken: bool) -> Json:
    """CLAIM."""
    others = [each for each in rows if each.name == row.name and each.state == WAITING]
    return {
        "name": row.name,
        "board": row.board,
        "serial": row.serial,
        "fingerprint": enrolment.fingerprint(row.credential),
        "state": row.state,
        "reason": row.reason,
        "taken": taken,
        "twice": row.state == WAITING and len(others) > 1,
        "first": row.first,
        "last": row.last,
    }


def _described(row: ClaimRow) -> str:
    return f"{enrolment.fingerprint(row.credential)} ({row.board}, serial {row.serial or 'unknown'})"


def _taken(name: str) -> RejectedError:
    return RejectedError(
        f"There is a device {name} already",
        "the board that has the name now would be locked out",
        "choose another name, or --again to put this board in its place",
    )


def _nobody(which: str) -> NotFoundError:
    return NotFoundError(
        f"No board asks to be let in as {which!r}",
        "",
        "`lamplight devices` lists those that wait, and their fingerprints",
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
