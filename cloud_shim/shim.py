"""The parts of the shim, wired together: the only place where they are.

`app.py` serves it over HTTP; a test may use it directly.
"""

from collections.abc import Mapping

from cloud_shim.broker import certificates
from cloud_shim.broker import setup as broker
from cloud_shim.broker.access import Closed, writer
from cloud_shim.broker.session import Link
from cloud_shim.broker.strays import Strays
from cloud_shim.config import Config
from cloud_shim.database import Database
from cloud_shim.fleet.calls import Calls
from cloud_shim.fleet.changes import Changes
from cloud_shim.fleet.chores import Chore, Chores
from cloud_shim.fleet.enrolment import Enrolment
from cloud_shim.fleet.fleet import Fleet
from cloud_shim.fleet.members import Members
from cloud_shim.fleet.naming import Naming, Steps
from cloud_shim.fleet.outcomes import Outcomes
from cloud_shim.fleet.pauses import SHARED, Pauses
from cloud_shim.fleet.publisher import Publisher
from cloud_shim.fleet.retained import Retained
from cloud_shim.fleet.twins import Twins
from cloud_shim.people import token_files, token_text
from cloud_shim.people.identity import OWNER
from cloud_shim.people.links import Links
from cloud_shim.people.tokens import Tokens
from cloud_shim.records.budgets import Budgets
from cloud_shim.records.excesses import Excesses
from cloud_shim.records.ingest import Ingest
from cloud_shim.records.retention import Retention
from cloud_shim.records.turns import Turns
from cloud_shim.releases.blobs import Blobs
from cloud_shim.releases.registry import Registry
from cloud_shim.releases.withdrawals import Withdrawals
from cloud_shim.trust.signing import Signing
from device.protocol.topics import ENROL_USER
from device.protocol.withdrawn import Withdrawal

# Seconds between two looks for devices that have fallen silent and at the clock, for ended passwords, and two removals
# of old records.
_LOOK, _PASSWORDS, _PRUNE = 5.0, 600.0, 600.0
# The broker gives about a thousand retained messages, or 64 MiB, at a time: where so many come, more follow.
_MANY, _PASSES = 50, 20


class Shim:
    """One fleet's shim. It runs from `start` on; call `broker.prepare` for its state folder before."""

    def __init__(self, config: Config) -> None:
        config.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        config.state.chmod(0o700)
        self.config = config
        self.changes = Changes()
        self.database = Database(config.database_url)
        self.tokens = Tokens(self.database, self.changes.all)
        self.tokens.own(token_files.owner(config.state))
        self.links = Links()
        self.signing = Signing(config.state / "signing")
        self.registry = Registry(self.database, Blobs(config.state / "artifacts"), self.signing)
        self.withdrawals = Withdrawals(self.database, self.signing)
        self.link = Link(config.broker_host, config.broker_port, config.fleet, broker.shim_password(config.state))
        self.calls = Calls(self.link)
        self._publisher = Publisher(self.database, self.registry, self.signing, Retained(self.database, self.link))
        self.members = Members(
            self.database,
            self.changes,
            self._admit,
            doubt=self.signing.clock.complaint,
        )
        self.twins = Twins(self.database, announce=self.changes.device)
        self.excesses = Excesses(self.database)
        self.pauses = Pauses(self.database, self.changes, self.members.admit_all)
        self._budgets = Budgets(self.excesses, self.pauses.flooded)
        self._retention = Retention(self.database, self.excesses, config.keep_records, config.keep_bytes)
        self._strays = Strays(config.broker_host, config.broker_port, config.fleet, broker.shim_password(config.state))
        self.enrolment = Enrolment(
            self.database,
            self.members,
            self.link,
            doubt=self.signing.clock.complaint,
            displaced=lambda device, ask: self.naming.answer(device, ask),
        )
        self.naming = Naming(self.database, self.twins, Steps(self.enrolment.admit, self._go_on))
        self.fleet = Fleet(
            config.fleet,
            self.database,
            self.registry,
            self.changes,
            self.withdrawals,
            deployed=self._publisher.changed,
        )
        self._outcomes = Outcomes(config.fleet, self.registry)
        self.ingest = Ingest(
            self.database,
            self.link,
            self._publisher.wanted,
            self.calls,
            self.changes,
            self.enrolment.asked,
            self._outcomes,
            deployed=self._publisher.changed,
            heard=self.signing.clock.heard,
            twins=self.twins,
        )
        self._turns = Turns(self._budgets, self.pauses.is_out, self.ingest.receive)
        self._chores = Chores(
            [
                Chore(_LOOK, lambda: self.fleet.announce_silent(self.link.listening)),
                Chore(_LOOK, self._resume),
                Chore(_LOOK, self._look_for_floods),
                Chore(_PASSWORDS, self.members.look),
                Chore(_PRUNE, self._retention.prune),
            ]
        )

    def start(self) -> None:
        """Let the known devices in, connect to the broker, and stay connected."""
        self.members.admit_all()
        with self.database.write() as session:
            self._outcomes.heal(session)
        self._publisher.start()
        self._chores.start()
        self._turns.start()
        self.link.start(self._turns.receive, self._connected, self.fleet.announce_all)

    def revoke(self, device: str) -> None:
        """Shut a device out for good, and take what it left off the broker. NotFoundError."""
        self.enrolment.revoke(device)
        self._publisher.revoked(device)
        # It may have been the one.
        self.pauses.end(SHARED)

    def adopt(self, offer: Mapping[str, object], by: str) -> None:
        """Publish metadata signed elsewhere (trust/), as asked for `by` somebody.

        When keys changed or releases were withdrawn, every device is told at once.
        """
        before = self.signing.roots(), len(self.withdrawals.known())
        self.withdrawals.noted(by, lambda: self.signing.adopt(offer))
        if (self.signing.roots(), len(self.withdrawals.known())) != before:
            self._tell_all()

    def withdraw(self, withdrawal: Withdrawal, by: str) -> None:
        """Sign a withdrawal asked for `by` somebody, and tell every device at once."""
        self.withdrawals.add(withdrawal, by)
        self._tell_all()

    def _go_on(self, device: str, before: str, generation: int, by: str) -> None:
        """A new device goes on where its board was as `before`: with its deployment, and the counts of its metadata."""
        self.signing.go_on(device, before)
        self.fleet.go_on(device, before, generation, by)

    def _tell_all(self) -> None:
        self._publisher.connected(session_present=True)
        self.fleet.announce_all()

    def rotate_token(self, name: str) -> str:
        """A new token in place of the one of this name. The owner's goes to its file, and "" is given."""
        if name != OWNER:
            return self.tokens.rotate(name)
        # The file first: after a crash in between, the next start takes the token from there.
        self.tokens.own(token_files.write(self.config.state, token_text.new()))
        return ""

    def void_cards(self) -> int:
        """Make every unused card worthless; gives how many tokens ended."""
        ended = self.enrolment.void_cards(lambda: broker.renew_enrol_password(self.config.state))
        self.pauses.end(ENROL_USER)
        return ended

    def reach(self) -> Mapping[str, object] | None:
        """How boards reach the broker by TLS; None when it is closed to them.

        Its port, the certificate of the authority, and the broker's names and addresses in its own certificate.
        """
        if not self.config.boards_port:
            return None
        files = certificates.where(broker.folder(self.config.state))
        names = certificates.names_in(files.certificate)
        return {"port": self.config.boards_port, "ca": files.authority.read_text(), "names": names}

    def close(self) -> None:
        """Stop the parts in the order of their needs."""
        self.changes.close()
        self._chores.close()
        self._strays.close()
        self.excesses.save()
        self._publisher.close()
        self.link.close()
        self._turns.close()
        self.database.close()

    def trust_clock(self) -> None:
        """A person says that the clock is right: sign by it, whatever it said before."""
        self.signing.clock.confirm()
        self._publisher.connected(session_present=True)

    def _admit(self, hashes: Mapping[str, str], ended: set[str]) -> None:
        """Let the devices in, but for those that flood."""
        out = self.pauses.leave_out()
        closed = Closed(shared=SHARED in out, asking=ENROL_USER in out)
        let_in = {name: hash for name, hash in hashes.items() if name not in out}
        broker.set_devices(self.config.state, self.config.fleet, let_in, ended, closed)

    def _look_for_floods(self) -> None:
        if self.pauses.look():
            self.link.hear_states()
        for _ in range(_PASSES):
            found = self._strays.clear()
            for topic, size in found.items():
                self._budgets.stray(writer(topic) or SHARED, "retained", size)
            if len(found) < _MANY:
                break
        self.excesses.save()

    def _resume(self) -> None:
        """Publish what could not be signed while the clock was in doubt."""
        if self.signing.clock.recovered():
            self._publisher.connected(session_present=True)

    def _connected(self, session_present: bool) -> None:
        self._publisher.connected(session_present)
        self.fleet.announce_all()
