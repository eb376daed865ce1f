"""A machine with an SSH server: OpenSSH's own, with this machine's programs and folders of its own.

It lies in a mount namespace: its /etc, /opt, /var and /run are copies or empty, at their real paths. There is no
systemd as its first process, so `systemctl` writes down what it is told; nothing else is replaced.
"""

import os
import shutil
import subprocess
from pathlib import Path

from cloud_shim.cli.up import ports
from tests.support import until

SYSTEMCTL = '#!/bin/sh\necho systemctl "$@" >>/run/told\nexit 0\n'
# Its own mounts end with it.
ENTER = """
set -e
mount --make-rprivate /
for each in etc opt var boot; do mount --bind {root}/$each /$each; done
mount -t tmpfs run /run
mkdir -p /run/sshd /run/systemd/system
mount --bind {root}/bin /usr/local/bin
exec /usr/sbin/sshd -D -e -f {root}/sshd_config
"""
SERVER = """
Port {port}
ListenAddress 127.0.0.1
HostKey {root}/host_key
AuthorizedKeysFile /etc/ssh/keys_of_everybody
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
SetEnv PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
"""
CLIENT = """
Host board
    HostName 127.0.0.1
    Port {port}
    IdentityFile {root}/key
    IdentitiesOnly yes
    UserKnownHostsFile {root}/known_hosts
    BatchMode yes
"""


class Machine:
    """The machine; `root` is where its folders lie, `config` leads ssh to it by the name `board`."""

    def __init__(self, folder: Path) -> None:
        self.root, self.config = folder / "machine", folder / "ssh_config"
        self.port = ports.free()
        for each in ("opt", "var/lib", "var/tmp", "boot/firmware", "bin"):
            (self.root / each).mkdir(parents=True)
        shutil.copytree("/etc", self.root / "etc", symlinks=True)
        self._tool("systemctl", SYSTEMCTL)
        for each in ("key", "host_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.root / each], check=True)
        shutil.copy(self.root / "key.pub", self.root / "etc/ssh/keys_of_everybody")
        (self.root / "etc/ssh/keys_of_everybody").chmod(0o644)
        (self.root / "var/tmp").chmod(0o1777)
        host = (self.root / "host_key.pub").read_text()
        (self.root / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {host}")
        (self.root / "sshd_config").write_text(SERVER.format(port=self.port, root=self.root))
        self.config.write_text(CLIENT.format(port=self.port, root=self.root))
        (self.root / "boot/firmware/config.txt").write_text("dtparam=audio=on\n")

    def __enter__(self) -> "Machine":
        command = ["unshare", "--mount", "sh", "-c", ENTER.format(root=self.root)]
        self._log = (self.root / "log").open("w")
        self._server = subprocess.Popen(command, stderr=self._log)
        until(lambda: "Server listening" in self.log, f"the server listens: {self.log}")
        return self

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        self._server.wait(60)
        self._log.close()

    @property
    def log(self) -> str:
        return (self.root / "log").read_text()

    def run(self, command: str, user: str = "root") -> str:
        """What a shell on the machine prints."""
        line = ["ssh", "-F", str(self.config), f"{user}@board", command]
        return subprocess.run(line, capture_output=True, text=True, check=True).stdout

    def files(self) -> dict[str, bytes]:
        """Every file, link and folder of the machine that an installation could change, with what is in it."""
        found: dict[str, bytes] = {}
        for top in ("etc", "opt", "var", "boot"):
            for path in sorted((self.root / top).rglob("*")):
                name = str(path.relative_to(self.root))
                if path.is_symlink() or path.is_dir():
                    found[name] = os.readlink(path).encode() if path.is_symlink() else b"folder"  # noqa: PTH115
                elif path.is_file():
                    found[name] = path.read_bytes()
        return found

    def _tool(self, name: str, text: str) -> None:
        (self.root / "bin" / name).write_text(text)
        (self.root / "bin" / name).chmod(0o755)
