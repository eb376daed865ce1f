"""A machine reached by OpenSSH's own client, with the user's own configuration, known hosts, agent and prompts.

One connection carries all: the user is asked once. Files and secrets travel as a tar on standard input, never as
arguments. Decisions about the machine are made elsewhere.
"""

import contextlib
import io
import shlex
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from device.errors import LamplightError, NotFoundError, OfflineError, UsageError
from flashing.targets import LAST, Progress, at_terminal, sudo

_CHUNK = 256 * 1024
# ssh(1)'s own exit code, when the connection failed and not the command.
_NO_CONNECTION = 255
_RECEIVE = (
    "umask 077; d=$(mktemp -d /var/tmp/lamplight.XXXXXXXX) || exit 1; "
    'if tar -xf - -C "$d"; then echo "$d"; else rm -rf "$d"; exit 1; fi'
)


class Ssh:
    """`USER@HOST`, or any other name known to ssh, as ssh://USER@HOST:PORT; `config` instead of ~/.ssh/config."""

    def __init__(self, host: str, config: Path | None = None) -> None:
        if not host or host.startswith("-") or any(each.isspace() for each in host):
            raise UsageError(f"{host!r} is no machine's name", "", "USER@HOST")
        self.title = host
        self._host = host
        self._config = ["-F", str(config)] if config else []
        # The connection's socket: its folder is for its owner only.
        self._folder = tempfile.TemporaryDirectory(prefix="lamplight-ssh-")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        command = [*self._command(), "-O", "exit", "--", self._host]
        # Without an `ssh` there is no connection to end, and the error saying so is on its way.
        with contextlib.suppress(FileNotFoundError):
            subprocess.run(command, capture_output=True, check=False)
        self._folder.cleanup()

    def ask(self, script: str) -> str:
        """As Target.ask."""
        # Prompts go to the terminal by themselves.
        done = self._ssh([], ["sh", "-s"], script.encode())
        self._check(done, "The machine could not be asked what it is")
        return done.stdout.decode("utf-8", "replace")

    def run(self, files: Mapping[str, bytes], script: str, root: bool, progress: Progress) -> None:
        """As Target.run."""
        folder = shlex.quote(self._send(_tar(files), progress))
        command = f"trap 'rm -rf {folder}' EXIT; {shlex.join(sudo(root))} sh {folder}/{script}"
        if at_terminal() and not root:
            # sudo asks at a terminal; there is one stream then, and it is not for programs.
            code = subprocess.run([*self._command(), "-t", "--", self._host, command], stdout=2, check=False).returncode
            done = subprocess.CompletedProcess(command, code, b"", b"")
        else:
            done = self._ssh([], [command], b"")
        self._check(done, f"{script} failed on {self.title}")

    def _send(self, data: bytes, progress: Progress) -> str:
        """Unpack the tar `data` there; gives the folder."""
        with subprocess.Popen(
            [*self._command(), "--", self._host, _RECEIVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as sending:
            assert sending.stdin is not None
            try:
                for start in range(0, len(data), _CHUNK):
                    sending.stdin.write(data[start : start + _CHUNK])
                    progress(min(start + _CHUNK, len(data)), len(data))
                sending.stdin.close()
            except BrokenPipeError:
                # The command's own last words are the better explanation.
                pass
            sending.stdin = None
            out, err = sending.communicate()
        self._check(
            subprocess.CompletedProcess([], sending.returncode, out, err), f"The files did not reach {self.title}"
        )
        return out.decode().strip()

    def _ssh(self, options: Sequence[str], command: Sequence[str], data: bytes) -> "subprocess.CompletedProcess[bytes]":
        line = [*self._command(), *options, "--", self._host, *command]
        try:
            return subprocess.run(line, input=data, capture_output=True, check=False)
        except FileNotFoundError:
            raise NotFoundError(
                "There is no `ssh`", "OpenSSH's client is used", "apt-get install openssh-client"
            ) from None

    def _command(self) -> list[str]:
        # A short name: with a folder as macOS gives, ssh's usual ones are too long for a socket.
        shared = ["ControlMaster=auto", f"ControlPath={self._folder.name}/s", "ControlPersist=60"]
        return ["ssh", *self._config, *(part for each in shared for part in ("-o", each))]

    def _check(self, done: "subprocess.CompletedProcess[bytes]", what: str) -> None:
        said = (done.stdout + done.stderr).decode("utf-8", "replace").strip()[-LAST:]
        if done.returncode == _NO_CONNECTION:
            raise OfflineError(f"{self.title} cannot be reached", said, f"does `ssh {self.title}` work?")
        if done.returncode != 0:
            raise LamplightError(what, said, f"`ssh {self.title}` shows more")


def _tar(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o600
            archive.addfile(entry, io.BytesIO(data))
    return made.getvalue()
