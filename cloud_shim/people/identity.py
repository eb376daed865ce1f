"""Permissions, identities, and the decision whether an identity may do a thing. Pure.

The permissions are a ladder: each includes those below it. All code asks `Identity.may`, so that roles can take the
ladder's place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from device.errors import RejectedError

OWNER = "owner"
"""The name of whoever started the shim."""

SHIM = "shim"
"""The name under which the shim itself deploys, when it takes a failure back."""


class Permission(IntEnum):
    """A right to use a route. OPEN needs no identity.

    VIEW reads. OPERATE releases and deploys functions and models, calls them, and turns the light of simulated boards.
    ADMINISTER decides on boards, keys, agents and tokens.
    """

    OPEN = 0
    VIEW = 1
    OPERATE = 2
    ADMINISTER = 3

    @property
    def word(self) -> str:
        """Its name for people and in JSON."""
        return self.name.lower()


GRANTED: Mapping[str, Permission] = {each.word: each for each in Permission if each is not Permission.OPEN}
"""The permissions that a token can have, by their names."""


@dataclass(frozen=True)
class Identity:
    """The holder of a token: a person or a program. `digest` is that of the token, or of the browser's session."""

    name: str
    permission: Permission
    digest: str
    session: bool = False

    def may(self, wanted: Permission) -> bool:
        """Whether it has the permission."""
        return self.permission >= wanted


class UnknownError(RejectedError):
    """The shim does not know who is asking: no token, or one that is worth nothing (HTTP 401)."""


class ForbiddenError(RejectedError):
    """The shim knows who is asking, and this one may not (HTTP 403)."""


def refusal(identity: Identity | None, given: bool, wanted: Permission) -> RejectedError | None:
    """The reason to refuse a request; None for a good one. `given`: it came with some token, known or not."""
    if wanted is Permission.OPEN:
        return None
    if identity is None:
        return unknown(given)
    return None if identity.may(wanted) else forbidden(identity, wanted)


def unknown(given: bool) -> UnknownError:
    """The error for a request without a token, or (`given`) with one that is unknown."""
    return UnknownError(
        "This shim does not know the token" if given else "This shim wants a token",
        "it was revoked, rotated or has ended" if given else "whoever uses it must say who they are",
        "run the command as the user who started the shim, or set LAMPLIGHT_TOKEN; `lamplight console` opens a browser",
    )


def forbidden(identity: Identity, wanted: Permission) -> ForbiddenError:
    """The error for an identity without the permission."""
    return ForbiddenError(
        f"{identity.name} may not do this",
        f"it needs the permission {wanted.word}, and the token has {identity.permission.word}",
        "use another token, or ask the shim's owner for one: `lamplight token create`",
    )
