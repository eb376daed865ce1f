"""How a board is let in, and how it changes its password: the bodies on `e/<user>/<client>/ask` and `…/answer`.

A password never travels: the board makes it and sends its hash as in the broker's password file, mosquitto's `$7$`
(PBKDF2-HMAC-SHA512, mosquitto_passwd(1)). Hashing and deciding are done elsewhere.
"""

import hashlib

from .deployment import MAX_GENERATION
from .errors import ProtocolError
from .fields import integer, name, only, text
from .messages import decode, encode

MAX_ASK = 4096
ITERATIONS = 101
"""mosquitto_passwd's own default. The passwords are 256 random bits, so stretching them gains nothing. The broker
computes this on its one thread at each connection: a board free to choose would keep it from all others.
"""
WAITING, ACCEPTED, REJECTED, REFUSED, KEPT, DISPLACED = STATES = (
    "waiting",
    "accepted",
    "rejected",
    "refused",
    "kept",
    "displaced",
)

_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_SALT_LENGTH, _DERIVED_LENGTH = 16, 88  # of 12 and 64 bytes in base64
_MOST = {"board": 80, "serial": 64, "token": 64}


class Ask:
    """A board asks to be `name` with the password hashed as `hash`.

    `board` and `serial` are its own words, for the person deciding. `token` is the card's, "" for none. A board that
    was told it is not the device shows `own`, the hash of a password that no other board has, for a name of its own,
    and the `generation` it runs.
    """

    def __init__(
        self, name: str, board: str, serial: str, hash: str, token: str = "", own: str = "", generation: int = 0
    ) -> None:
        self.name = name
        self.board = board
        self.serial = serial
        self.hash = hash
        self.token = token
        self.own = own
        self.generation = generation

    def encode(self) -> bytes:
        """The body. Shims before 0.2.0 read none with `own`: it is left out where there is nothing to show."""
        told: dict[str, object] = {"name": self.name, "board": self.board, "serial": self.serial}
        own = {"own": self.own, "generation": self.generation} if self.own else {}
        return encode({**told, "hash": self.hash, "token": self.token, **own})


class Answer:
    """The shim's answer: one of STATES, and why.

    Two boards with one password hear each other's answers, so one that is `displaced` is told to `hardware`. `own` is
    the hash that the shim knows of it, and `name` the name that a person gave to the holder of that password, "" for
    none yet.
    """

    def __init__(self, state: str, reason: str = "", hardware: str = "", own: str = "", name: str = "") -> None:
        self.state = state
        self.reason = reason
        self.hardware = hardware
        self.own = own
        self.name = name

    def encode(self) -> bytes:
        """The body."""
        more = {"hardware": self.hardware, "own": self.own, "name": self.name}
        told: dict[str, object] = {"state": self.state, "reason": self.reason}
        return encode({**told, **{key: value for key, value in more.items() if value}})


def ask(payload: bytes) -> Ask:
    """The ask in `payload`; ProtocolError for one too long, or unfit for a password file."""
    if len(payload) > MAX_ASK:
        raise ProtocolError(f"ask: {len(payload)} bytes; at most {MAX_ASK}")
    fields = decode(payload, "ask")
    only(fields, ("name", "board", "serial", "hash", "token", "own", "generation"), "ask")
    for key, most in _MOST.items():
        _short(text(fields, key, "ask"), most, f"ask.{key}")
    return Ask(
        name(fields.get("name"), "ask.name"),
        text(fields, "board", "ask"),
        text(fields, "serial", "ask"),
        password_hash(text(fields, "hash", "ask"), "ask.hash"),
        text(fields, "token", "ask"),
        password_hash(text(fields, "own", "ask"), "ask.own") if "own" in fields else "",
        integer(fields, "generation", "ask", 0, MAX_GENERATION, 0),
    )


def answer(payload: bytes) -> Answer:
    """The answer in `payload`. Later versions' additions are passed over."""
    fields = decode(payload, "answer")
    state = text(fields, "state", "answer")
    if state not in STATES:
        raise ProtocolError(f"answer.state: {state!r} is none of {', '.join(STATES)}")
    return Answer(
        state,
        text(fields, "reason", "answer", ""),
        text(fields, "hardware", "answer", ""),
        text(fields, "own", "answer", ""),
        name(fields["name"], "answer.name") if "name" in fields else "",
    )


def password_hash(value: str, where: str) -> str:
    """`value` if it is a `$7$` hash with just our parameters; ProtocolError otherwise."""
    parts = value.split("$")
    if (
        len(parts) != 5
        or parts[:3] != ["", "7", str(ITERATIONS)]
        or (len(parts[3]), len(parts[4])) != (_SALT_LENGTH, _DERIVED_LENGTH)
        or any(each not in _BASE64 for each in parts[3] + parts[4])
    ):
        raise ProtocolError(f"{where}: expected a $7$ hash of {ITERATIONS} iterations")
    return value


def fingerprint(hash: str) -> str:
    """The code for a person to recognise the board by: 12 hexadecimal digits in groups, from its password's hash."""
    digits = hashlib.sha256(b"fingerprint " + hash.encode()).hexdigest()
    return "-".join((digits[:4], digits[4:8], digits[8:12]))


def client_id(hash: str) -> str:
    """The board's name on the broker until it has one of its own; beyond guessing, and as lasting as its password."""
    return hashlib.sha256(b"client " + hash.encode()).hexdigest()[:32]


def login_id(name: str, password: str) -> str:
    """`name` as a client of the broker: a second connection under it ends the first, whatever its user is, so only the
    holder of the password may know it.
    """
    return f"{name}-{hashlib.sha256(b'login ' + password.encode()).hexdigest()[:16]}"


def _short(value: str, most: int, where: str) -> None:
    if len(value) > most or any(not " " <= each <= "~" for each in value):
        raise ProtocolError(f"{where}: expected at most {most} printable ASCII characters")
