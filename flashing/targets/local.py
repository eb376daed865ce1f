"""This machine as a target: files go through a folder of our own, root's rights through sudo."""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from device.errors import LamplightError
from flashing.targets import LAST, Progress, at_terminal, sudo


class Local:
    """This machine."""

    title = "this machine"

    def ask(self, script: str) -> str:
        """As Target.ask."""
        return subprocess.run(["sh", "-s"], input=script, capture_output=True, text=True, check=False).stdout

    def run(self, files: Mapping[str, bytes], script: str, root: bool, progress: Progress) -> None:
        """As Target.run."""
        total = sum(map(len, files.values()))
        # Made for its owner only (tempfile.mkdtemp).
        with tempfile.TemporaryDirectory(prefix="lamplight-", dir="/var/tmp") as folder:
            for name, data in files.items():
                _write(Path(folder) / name, data)
            progress(total, total)
            command = [*sudo(root), "sh", f"{folder}/{script}"]
            shown = None if at_terminal() and not root else subprocess.PIPE
            done = subprocess.run(command, stdout=2 if shown is None else shown, stderr=shown, text=True, check=False)
            if done.returncode != 0:
                said = f"{done.stdout or ''}{done.stderr or ''}".strip()[-LAST:]
                raise LamplightError(f"{script} failed on this machine", said, "run it as root, or with sudo")


def _write(file: Path, data: bytes) -> None:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(data)
