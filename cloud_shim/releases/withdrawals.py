"""The withdrawn releases: the signed list, beside who asked for each. The list itself is signed in trust/."""

from collections.abc import Callable

from sqlalchemy import select

from cloud_shim.database import Database
from cloud_shim.tables import WithdrawalRow
from cloud_shim.trust.signing import Signing
from device.errors import RejectedError
from device.protocol import withdrawn
from device.protocol.deployment import ArtifactRef, Deployment
from device.protocol.withdrawn import Withdrawal

Json = dict[str, object]


class Withdrawals:
    """Reads the list, adds to it, and answers which releases may be deployed."""

    def __init__(self, database: Database, signing: Signing) -> None:
        self._database = database
        self._signing = signing

    def add(self, withdrawal: Withdrawal, by: str) -> None:
        """Sign the withdrawal; `by` asks for it. RejectedError when the key is not here, or it is nothing new."""
        self.noted(by, lambda: self._signing.withdraw(withdrawal))

    def noted(self, by: str, change: Callable[[], None]) -> None:
        """Make a change of the signed list, and note `by` for each withdrawal that is new then."""
        before = len(self._signing.withdrawals())
        change()
        with self._database.write() as session:
            for number in range(before, len(self._signing.withdrawals())):
                session.merge(WithdrawalRow(number=number, by=by))

    def known(self) -> list[Withdrawal]:
        """Every withdrawal, the oldest first."""
        return self._signing.withdrawals()

    def views(self) -> list[Json]:
        """Every WITHDRAWAL, the oldest first."""
        with self._database.read() as session:
            by = {row.number: row.by for row in session.scalars(select(WithdrawalRow))}
        return [{**each.to_json(), "by": by.get(number, "")} for number, each in enumerate(self.known())]

    def check(self, *refs: ArtifactRef) -> None:
        """Raise RejectedError when one of these releases was withdrawn. One without a number is new."""
        for ref in refs:
            withdrawal = withdrawn.of(self.known(), ref) if ref.version else None
            if withdrawal:
                raise RejectedError(
                    f"{ref.name} v{ref.version} was withdrawn", withdrawal.because, "deploy another version"
                )

    def allow(self, deployment: Deployment, present: Deployment) -> bool:
        """Whether each release that the deployment brings back, beyond the present one's, is signed and not withdrawn.

        One that nobody confirmed when the keys were taken is signed no more.
        """
        there, known = {ref.target for ref in present.artifacts()}, self.known()
        back = [ref for ref in deployment.artifacts() if ref.target not in there]
        return all(self._signing.lists(ref) and not withdrawn.of(known, ref) for ref in back)
