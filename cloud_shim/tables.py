"""The shim's tables. Transactions on them are database.py's, the queries are each part's own.

All the shim's knowledge is here, except the artifacts' bytes (releases/blobs.py) and the signing keys
(trust/signing.py).
"""

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

SCHEMA = 1
"""The form of these tables. Raise it with any change to a table if an older shim would misread the result."""

_BIG = BigInteger().with_variant(Integer, "sqlite")
_NAME = String(63)
_DIGEST = String(64)


class Base(DeclarativeBase):
    """The tables."""


class DeviceRow(Base):
    """One device. `credential` is its password's hash; `simulation` the socket of its simulated hardware, if any.

    `session` is the number of its newest connection, -1 before the first. Times are in seconds since 1970.
    """

    __tablename__ = "devices"
    name: Mapped[str] = mapped_column(_NAME, primary_key=True)
    board: Mapped[str] = mapped_column(Text)
    simulation: Mapped[str | None] = mapped_column(Text)
    credential: Mapped[str] = mapped_column(Text)
    created: Mapped[float]
    online: Mapped[bool] = mapped_column(default=False)
    session: Mapped[int] = mapped_column(BigInteger, default=-1)
    last_seen: Mapped[float | None]
    generation: Mapped[int] = mapped_column(BigInteger, default=0)


class CredentialRow(Base):
    """When a device got its password, or a mark that it was taken away. Devices older than this table have none."""

    __tablename__ = "credentials"
    device: Mapped[str] = mapped_column(ForeignKey("devices.name"), primary_key=True)
    made: Mapped[float]
    revoked: Mapped[bool] = mapped_column(default=False)


class ClaimRow(Base):
    """One board's request to be let in, by its client id; `state` is "waiting", "rejected" or "refused".

    `board` and `serial` are its own words; `credential` is the hash of the password it wants. The row goes once the
    board is let in.
    """

    __tablename__ = "claims"
    client: Mapped[str] = mapped_column(String(160), primary_key=True)
    name: Mapped[str] = mapped_column(_NAME)
    board: Mapped[str] = mapped_column(Text)
    serial: Mapped[str] = mapped_column(Text)
    credential: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text, default="")
    first: Mapped[float]
    last: Mapped[float]


class BoardRow(Base):
    """One board that came in under a device's name. `chosen`: it is the device; `by_person`: a person said so."""

    __tablename__ = "boards"
    device: Mapped[str] = mapped_column(ForeignKey("devices.name"), primary_key=True)
    hardware: Mapped[str] = mapped_column(String(128), primary_key=True)
    chosen: Mapped[bool]
    by_person: Mapped[bool]
    first: Mapped[float]
    last: Mapped[float]


class BoardKeyRow(Base):
    """A password of its own that a board kept out of a device's name has shown, by its hash.

    `hardware` is the board, `generation` the one it runs, by its own words. `name` is the one that a person gave to
    the holder of the password, "" for none; the row goes once the board has come in under it.
    """

    __tablename__ = "board_keys"
    device: Mapped[str] = mapped_column(ForeignKey("devices.name"), primary_key=True)
    hash: Mapped[str] = mapped_column(String(160), primary_key=True)
    hardware: Mapped[str] = mapped_column(String(128))
    generation: Mapped[int] = mapped_column(BigInteger)
    last: Mapped[float]
    name: Mapped[str] = mapped_column(_NAME, default="", index=True)


class TokenRow(Base):
    """One card's token, by its digest: the name it is for, and the fingerprint of the board that spent it, if any.

    With `again` it is for a new card of an existing device.
    """

    __tablename__ = "tokens"
    sha256: Mapped[str] = mapped_column(_DIGEST, primary_key=True)
    name: Mapped[str] = mapped_column(_NAME)
    again: Mapped[bool]
    made: Mapped[float]
    spent: Mapped[float | None]
    by: Mapped[str] = mapped_column(String(16), default="")


class ApiTokenRow(Base):
    """One token of a person or program, or one session of its holder's browser, by its digest.

    `permission` is the highest it has. A session has the name of the token that opened it, and a time when it ends.
    """

    __tablename__ = "api_tokens"
    sha256: Mapped[str] = mapped_column(_DIGEST, primary_key=True)
    name: Mapped[str] = mapped_column(_NAME, index=True)
    permission: Mapped[str] = mapped_column(String(16))
    made: Mapped[float]
    expires: Mapped[float | None]
    session: Mapped[bool] = mapped_column(default=False)


class ReleaseRow(Base):
    """One immutable release. `chunk_index` is the digest of its index, "" when it is one chunk; `manifest` is JSON.

    `by` names whoever made it, "" for one from before there were tokens.
    """

    __tablename__ = "releases"
    __table_args__ = (UniqueConstraint("kind", "name", "version"),)
    id: Mapped[int] = mapped_column(_BIG, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(_NAME)
    version: Mapped[int]
    sha256: Mapped[str] = mapped_column(_DIGEST, unique=True)
    length: Mapped[int]
    chunk_index: Mapped[str] = mapped_column(_DIGEST)
    manifest: Mapped[str] = mapped_column(Text)
    created: Mapped[float]
    by: Mapped[str] = mapped_column(_NAME, default="", server_default="")
    patches: Mapped[list["PatchRow"]] = relationship(lazy="selectin", order_by="PatchRow.length")


class PatchRow(Base):
    """A patch from the release with digest `base` to the one with digest `artifact`; `sha256` is the patch's own."""

    __tablename__ = "patches"
    artifact: Mapped[str] = mapped_column(ForeignKey("releases.sha256"), primary_key=True)
    base: Mapped[str] = mapped_column(_DIGEST, primary_key=True)
    sha256: Mapped[str] = mapped_column(_DIGEST, index=True)
    length: Mapped[int]
    chunk_index: Mapped[str] = mapped_column(_DIGEST)


class DeploymentRow(Base):
    """One generation of one device. `document` is the deployment document; `reason` names the cause of it.

    `outcome` is "" until the device says COMMITTED, REVERTED or REJECTED. `by` names whoever asked for it: a token, or
    "shim" for the shim itself; "" for one from before there were tokens.
    """

    __tablename__ = "deployments"
    device: Mapped[str] = mapped_column(ForeignKey("devices.name"), primary_key=True)
    generation: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    document: Mapped[str] = mapped_column(Text)
    created: Mapped[float]
    reason: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(String(16), default="")
    by: Mapped[str] = mapped_column(_NAME, default="", server_default="")


class FailureRow(Base):
    """The failure of a device's last deployment of one part; the row goes when that part is asked for anew.

    `kind` and `name` are those of the function, model or agent. `version` is the failed release, 0 for a failed
    removal. `state` is REVERTED or REJECTED.
    """

    __tablename__ = "failures"
    device: Mapped[str] = mapped_column(ForeignKey("devices.name"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    name: Mapped[str] = mapped_column(_NAME, primary_key=True)
    version: Mapped[int]
    generation: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    time: Mapped[float]


class SuccessionRow(Base):
    """One generation replaced by the shim with its own `successor`, since it or something in it had failed.

    With `continues` its request lives on in the successor; otherwise the device is back at the deployment it ran.
    """

    __tablename__ = "successions"
    device: Mapped[str] = mapped_column(ForeignKey("devices.name"), primary_key=True)
    generation: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    successor: Mapped[int] = mapped_column(BigInteger)
    continues: Mapped[bool]


class UseRow(Base):
    """One artifact or patch named by one generation, so that "which chunks does anybody need" is one query."""

    __tablename__ = "uses"
    device: Mapped[str] = mapped_column(_NAME, primary_key=True)
    generation: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    sha256: Mapped[str] = mapped_column(_DIGEST, primary_key=True)


class WithdrawalRow(Base):
    """Who asked for the withdrawal with this number in the signed list (trust/), counted from 0."""

    __tablename__ = "withdrawals"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    by: Mapped[str] = mapped_column(_NAME)


class SeededRow(Base):
    """One chunk the broker may retain: written before the chunk is sent, removed after it is cleared."""

    __tablename__ = "seeded"
    sha256: Mapped[str] = mapped_column(_DIGEST, primary_key=True)


class RecordRow(Base):
    """One record from a device. `body` is the record as the device sent it; `id` follows the order of arrival."""

    __tablename__ = "records"
    __table_args__ = (
        UniqueConstraint("device", "boot", "seq"),
        Index("records_of_stream", "device", "stream", "id"),
        Index("records_of_function", "device", "function", "id"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(_BIG, primary_key=True)
    device: Mapped[str] = mapped_column(_NAME)
    stream: Mapped[str] = mapped_column(String(16))
    boot: Mapped[str] = mapped_column(String(32))
    seq: Mapped[int] = mapped_column(BigInteger)
    time: Mapped[float]
    received: Mapped[float]
    kind: Mapped[str] = mapped_column(_NAME)
    function: Mapped[str] = mapped_column(_NAME)
    body: Mapped[str] = mapped_column(Text)


class ExcessRow(Base):
    """What a device sent beyond one of its shares (records/excesses.py). No key of the devices': boards that ask to be
    let in are meant too.
    """

    __tablename__ = "excesses"
    device: Mapped[str] = mapped_column(_NAME, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    first: Mapped[float]
    last: Mapped[float]
    number: Mapped[int] = mapped_column(BigInteger)
    bytes: Mapped[int] = mapped_column(BigInteger)


class PauseRow(Base):
    """The last time a credential was kept out since it flooded (fleet/pauses.py): the how manieth in a row."""

    __tablename__ = "pauses"
    name: Mapped[str] = mapped_column(_NAME, primary_key=True)
    times: Mapped[int]
    began: Mapped[float]
    until: Mapped[float]


class ReportRow(Base):
    """The newest `reported` message of one device, as JSON."""

    __tablename__ = "reports"
    device: Mapped[str] = mapped_column(ForeignKey("devices.name"), primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    received: Mapped[float]


class LibrariesRow(Base):
    """The agent's libraries on one device, as JSON: each one's version, and the time of its first report.

    Devices with an older agent have no row.
    """

    __tablename__ = "libraries"
    device: Mapped[str] = mapped_column(ForeignKey("devices.name"), primary_key=True)
    body: Mapped[str] = mapped_column(Text)


class SchemaRow(Base):
    """Each form of the tables so far, the highest being the present; empty in a database older than this table."""

    __tablename__ = "schema"
    version: Mapped[int] = mapped_column(primary_key=True)
