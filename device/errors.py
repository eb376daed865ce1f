"""The errors of the project, as one hierarchy; each class says its exit code.

    LamplightError              failed (1)
    ├── UsageError              the command or configuration is wrong (2)
    ├── NotFoundError           no such device, function, file (3)
    ├── OfflineError            the other side did not answer in time (4)
    └── RejectedError           understood and refused; nothing changed (5)
        ├── BusyError           the board had no time or room to try it; it may be asked for again
        ├── BadArtifactError    a bundle or model unfit to be installed
        ├── UntrustedError      signatures, versions, expiry or digests do not hold
        └── LeaseError          hardware missing on the board or held by another function

An agent asking to be replaced ends with 10 (launcher/line.py); this is no error. Each error carries three sentences for
a person: what happened, why, and what to try. Errors of the wire format are protocol/errors.py's; they become a
BadArtifactError or a dropped message at the edge.
"""

import contextlib
from collections.abc import Generator


class LamplightError(Exception):
    """Something failed. `what` happened, `why`, and what to try (`remedy`); the last two may be empty.

    `part` is the function or model of a deployment it concerns, as "functions/lamp", if it concerns one.
    """

    exit_code = 1

    def __init__(self, what: str, why: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.remedy = remedy
        self.part = ""

    def __str__(self) -> str:
        return ". ".join(part.rstrip(".") for part in (self.what, self.why, self.remedy) if part)


class UsageError(LamplightError):
    """The command line or a configuration file is wrong."""

    exit_code = 2


class NotFoundError(LamplightError):
    """The device, function, release, model or file is missing."""

    exit_code = 3


class OfflineError(LamplightError):
    """The other side did not answer in time."""

    exit_code = 4


class RejectedError(LamplightError):
    """It was understood and refused; nothing changed."""

    exit_code = 5


class BadArtifactError(RejectedError):
    """A bundle or model unfit to be installed."""


class BusyError(RejectedError):
    """The board lacked processor time or room to try it: nothing is held against it, and it may be asked for again."""


class UntrustedError(RejectedError):
    """The signatures, versions, expiry or digests do not hold."""


class LeaseError(RejectedError):
    """A pin or sensor missing on the board, or held by another function."""


@contextlib.contextmanager
def about(part: str) -> Generator[None]:
    """An error raised inside is about this part of the deployment, unless it names another itself."""
    try:
        yield
    except LamplightError as error:
        error.part = error.part or part
        raise
