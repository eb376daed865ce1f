"""The list of withdrawn releases, a signed part of the image repository's targets (docs/protocol/trust.md).

Pure: it says what a list is, and which releases it withdraws. A list only grows. Fields unknown here pass, so that a
later one can say more.
"""

from .deployment import MAX_GENERATION, ArtifactRef
from .errors import ProtocolError
from .fields import flag, integer, items, name, plain, table, text

# The field of the signed targets; older agents pass it over.
FIELD = "withdrawn"
KINDS = ("function", "model", "layer", "agent")
# Each board keeps the list, and has it in each document.
MAX_WITHDRAWALS = 500
MAX_BECAUSE = 200


class Withdrawal:
    """One entry: release `version` of this kind and name, with `older` also every release before it.

    `because` is the reason, for people. `at` is in seconds since 1970. With `lets_run` a board that has the release
    installed goes on running it; it is only never installed again.
    """

    def __init__(
        self, kind: str, name: str, version: int, older: bool, because: str, at: int, lets_run: bool = False
    ) -> None:
        self.kind = kind
        self.name = name
        self.version = version
        self.older = older
        self.because = because
        self.at = at
        self.lets_run = lets_run

    def covers(self, kind: str, name: str, version: int) -> bool:
        """Whether it withdraws this release."""
        if (kind, name) != (self.kind, self.name):
            return False
        return version == self.version or (self.older and version < self.version)

    def to_json(self) -> dict[str, object]:
        """The JSON form; `parse` reads a list of these."""
        return {
            "kind": self.kind,
            "name": self.name,
            "version": self.version,
            "older": self.older,
            "because": self.because,
            "at": self.at,
            "lets_run": self.lets_run,
        }


def parse(value: object) -> list[Withdrawal]:
    """The withdrawals in the JSON form of a list; raises ProtocolError naming the wrong field."""
    plain(value, FIELD)
    entries = items(value, FIELD)
    if len(entries) > MAX_WITHDRAWALS:
        raise ProtocolError(f"{FIELD}: {len(entries)} entries; at most {MAX_WITHDRAWALS} are read")
    return [_withdrawal(table(each, f"{FIELD}.{number}"), f"{FIELD}.{number}") for number, each in enumerate(entries)]


def of(withdrawals: list[Withdrawal], ref: ArtifactRef) -> Withdrawal | None:
    """The withdrawal of this release: the strictest, when there are several; None when it is not withdrawn."""
    found = [each for each in withdrawals if each.covers(ref.kind, ref.name, ref.version)]
    strict = [each for each in found if not each.lets_run]
    return (strict or found or [None])[0]


def _withdrawal(fields: dict[str, object], where: str) -> Withdrawal:
    kind, because = text(fields, "kind", where), text(fields, "because", where)
    if kind not in KINDS:
        raise ProtocolError(f"{where}.kind: {kind!r} is none of {', '.join(KINDS)}")
    if len(because) > MAX_BECAUSE:
        raise ProtocolError(f"{where}.because: is longer than {MAX_BECAUSE} characters")
    # It is shown on terminals and in logs, in one line.
    if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in because):
        raise ProtocolError(f"{where}.because: has a line break or another control character")
    return Withdrawal(
        kind,
        name(fields.get("name"), f"{where}.name"),
        integer(fields, "version", where, 1, MAX_GENERATION),
        flag(fields, "older", where, False),
        because,
        integer(fields, "at", where, 0, MAX_GENERATION),
        flag(fields, "lets_run", where, False),
    )
