"""The systems of the images, as far as they read networks: Debian's own packages of each release, unpacked to a folder.

Needs root and mmdebstrap, as tests/install-tools.sh installs it. Nothing of them is started but the parsers.
"""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

_MIRROR = "http://deb.debian.org/debian"
_PACKAGES = {
    "bookworm": "gir1.2-nm-1.0,python3-gi",
    "trixie": "gir1.2-nm-1.0,python3-gi,netplan-generator,python3-netplan,cloud-init",
}
# What the scripts of base-files would make.
_MERGE = 'for each in bin lib lib64 sbin; do mkdir -p "$1/usr/$each"; ln -s "usr/$each" "$1/$each"; done'
_READER = Path(__file__).with_name("reader.py")


class System:
    """One release; `read` gives what its NetworkManager takes networks for."""

    def __init__(self, release: str) -> None:
        self.root = _root(release)
        # Beside each other, for there may be several runs of the tests.
        self._reader = self.root / "tmp" / f"reader-{os.getpid()}.py"
        shutil.copy(_READER, self._reader)
        self._process = subprocess.Popen(
            self.line("/usr/bin/python3", f"/tmp/{self._reader.name}"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"LC_ALL": "C.UTF-8"},
        )

    def line(self, *command: str) -> list[str]:
        """The command line that runs `command` in the system."""
        return [shutil.which("chroot") or "/usr/sbin/chroot", str(self.root), *command]

    def close(self) -> None:
        self._process.communicate(timeout=60)
        self._reader.unlink()

    def cloud_init(self, network_config: str) -> list[dict[str, Any]]:
        """The connections that cloud-init and netplan make of a file, as NetworkManager has them."""
        return self._asked({"network_config": network_config})

    def keyfiles(self, *texts: str) -> list[dict[str, Any]]:
        """Keyfiles as NetworkManager has them."""
        return self._asked({"keyfiles": texts})

    def _asked(self, question: dict[str, Any]) -> list[dict[str, Any]]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: Any = json.loads(self._process.stdout.readline())
        assert isinstance(answer, list), answer
        return answer


def _root(release: str) -> Path:
    recipe = hashlib.sha256(f"{_PACKAGES[release]} {_MERGE}".encode()).hexdigest()[:12]
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "lamplight-tests"
    made = folder / f"networks-{release}-{recipe}"
    if not made.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        new = made.with_suffix(f".{os.getpid()}")
        options = ["--variant=extract", "--skip=check/qemu", f"--setup-hook={_MERGE}"]
        command = ["mmdebstrap", *options, f"--include={_PACKAGES[release]}", release, str(new), _MIRROR]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        # A script of ca-certificates would.
        trusted = new / "usr/share/ca-certificates"
        (new / "etc/ssl/certs").mkdir(parents=True, exist_ok=True)
        certificates = b"".join(each.read_bytes() for each in sorted(trusted.rglob("*.crt")))
        (new / "etc/ssl/certs/ca-certificates.crt").write_bytes(certificates)
        new.rename(made)
    return made
