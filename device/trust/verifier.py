"""The agent's side of verification: runs the verify process, and keeps the metadata it came to trust.

Parsing strangers' bytes, and python-tuf's memory, stay out of the agent. The decisions are made in rules.py and
verify.py.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from device import durable
from device.errors import UntrustedError
from device.protocol import deployment
from device.protocol.deployment import Deployment
from device.protocol.errors import ProtocolError
from device.protocol.fields import integer, table, text
from device.protocol.withdrawn import Withdrawal
from device.trust import rules, verify
from device.trust.rules import NOBODY, Signer
from device.trust.synchronised import synchronised

# A board of 2012 takes seconds to import python-tuf from its card.
TIMEOUT = 60.0
_MAX_ANSWER = 8 * 1024 * 1024


class RefusedError(UntrustedError):
    """The verify process refused a document; `claimed` is the generation it claims to be, 0 when it claims none."""

    def __init__(self, what: str, why: str, remedy: str, claimed: int) -> None:
        super().__init__(what, why, remedy)
        self.claimed = claimed


class Verifier:
    """Verifies for one device, with trusted metadata kept in `folder`; the rest as in verify.Question.

    `withdrawn` are the releases withdrawn by that metadata. It lasts as long: no older document takes one back.
    """

    def __init__(
        self,
        folder: Path,
        fleet: str,
        device: str,
        roots: Path,
        clock: Callable[[], float] = time.time,
        synchronised: Callable[[], bool] = synchronised,
    ) -> None:
        self.signer = NOBODY
        self._clock = clock
        self._synchronised = synchronised
        self._folder = folder
        self._trusted = folder / "trusted.json"
        self._fleet = fleet
        self._device = device
        self._roots = roots
        self.withdrawn: Sequence[Withdrawal] = verify.withdrawn(self._trusted)

    def believe(self, payload: bytes, floor: int, signer: Signer = NOBODY, timeout: float = TIMEOUT) -> Deployment:
        """The deployment in a DESIRED document, if it is to be believed and of generation `floor` or later.

        `floor` is by the count of `signer`; afterwards `self.signer` is the signer of the believed one. Raises
        UntrustedError otherwise, a RefusedError when the document is to blame. On return the metadata behind it is
        durably trusted: any older metadata will be refused from now on.
        """
        if len(payload) > rules.MAX_DESIRED:
            raise UntrustedError("The desired state is too large", f"more than {rules.MAX_DESIRED} bytes")
        with tempfile.TemporaryDirectory(prefix=durable.TEMPORARY, dir=self._folder) as scratch:
            answer = _answer(_run(self._question(floor, signer, scratch), payload, Path(scratch), timeout))
        try:
            believed = deployment.decode(text(answer, "deployment", "verdict").encode())
            trusted, signed = _trusted(answer), rules.signer(answer.get("signer"))
        except ProtocolError as error:
            raise UntrustedError("The verify process gave no sensible answer", str(error)) from None
        self._keep(trusted)
        self.signer = signed
        return believed

    def _question(self, floor: int, signer: Signer, scratch: str) -> verify.Question:
        work = Path(scratch) / "metadata"
        work.mkdir()
        roots, trusted = str(self._roots), str(self._trusted)
        asks = (self._fleet, self._device, floor, signer, self._clock(), self._synchronised())
        return verify.Question(*asks, roots, trusted, str(work), os.getpid())

    def _keep(self, trusted: dict[str, str]) -> None:
        data = json.dumps(trusted).encode()
        if not self._trusted.exists() or self._trusted.read_bytes() != data:
            durable.write_file(self._trusted, data)
            self.withdrawn = verify.withdrawn(self._trusted)


def _run(question: verify.Question, payload: bytes, scratch: Path, timeout: float) -> bytes:
    """The output of the verify process; raises UntrustedError when it crashed or hung."""
    command = [sys.executable, "-P", "-m", "device.trust.verify", json.dumps(question._asdict())]
    # Into a file rather than a pipe: the process itself bounds the size of files, so the answer cannot fill the memory.
    with (scratch / "answer").open("w+b") as answer, (scratch / "errors").open("w+b") as errors:
        try:
            done = subprocess.run(command, input=payload, stdout=answer, stderr=errors, timeout=timeout)
        except subprocess.TimeoutExpired:
            raise UntrustedError("The verify process hung", f"no answer within {timeout:.0f} s") from None
        if done.returncode != 0:
            raise UntrustedError("The verify process crashed", f"code {done.returncode}: {_last_line(errors)}")
        answer.seek(0)
        return answer.read(_MAX_ANSWER)


def _last_line(file: IO[bytes]) -> str:
    file.seek(max(0, file.seek(0, os.SEEK_END) - 300))
    return "".join(file.read().decode(errors="replace").strip().splitlines()[-1:])


def _trusted(answer: dict[str, object]) -> dict[str, str]:
    """The metadata to trust from now on; its names become file names, so they are checked."""
    files = table(answer.get("trusted"), "verdict.trusted")
    for name in files:
        if not verify.TRUSTED_NAME.fullmatch(name):
            raise ProtocolError(f"verdict.trusted: unknown file {name!r}")
    return {name: text(files, name, "verdict.trusted") for name in files}


def _answer(printed: bytes) -> dict[str, object]:
    """The verdict in the output; raises UntrustedError when it is a refusal, or no verdict at all."""
    try:
        answer = table(json.loads(printed), "verdict")
        if answer.get("ok") is True:
            return answer
        what, why, remedy = (text(answer, key, "verdict") for key in ("what", "why", "remedy"))
        claimed = integer(answer, "claimed", "verdict", 0, deployment.MAX_GENERATION)
    except (ValueError, RecursionError, ProtocolError):
        raise UntrustedError("The verify process gave no sensible answer", repr(printed[:80])) from None
    raise RefusedError(what, why, remedy, claimed)
