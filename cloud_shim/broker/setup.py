"""The MQTT broker as a subprocess: its configuration, its command, and telling it about new devices.

mosquitto when it is installed; otherwise the fallback, and a note about it. This module writes files and names a
command: its caller runs and supervises it. The broker listens on loopback, and for boards by TLS on request.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cloud_shim.broker import access, certificates, credentials
from device.enrol.secret import hash_password, new_password
from device.errors import NotFoundError, UsageError
from device.protocol import topics
from device.protocol.messages import MAX_MESSAGE

_SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
_OWN_USERS = (access.SHIM_USER, topics.ENROL_USER)
FALLBACK_NOTE = (
    "mosquitto is not installed: using the built-in broker (amqtt). It is for trying things out only: "
    "slower, and it forgets everything when it stops. Install mosquitto (apt install mosquitto, brew install mosquitto)"
)


@dataclass(frozen=True)
class BrokerCommand:
    """How to start the broker: `argv`, and a `note` for the person about the fallback ("" for mosquitto)."""

    argv: list[str]
    note: str


@dataclass(frozen=True)
class Listener:
    """Where boards reach the broker, by TLS only: an address of this machine, a port, and all names it is known by."""

    host: str
    port: int
    names: Sequence[str]


def folder(state: Path) -> Path:
    """Where the broker's configuration, password file and saved messages lie."""
    return state / "broker"


def shim_password(state: Path) -> str:
    """The password of the shim's own user; NotFoundError before `prepare` has made it."""
    return _password(state, access.SHIM_USER)


def enrol_password(state: Path) -> str:
    """The password of boards still asking for their own; it is on every card. NotFoundError as above."""
    return _password(state, topics.ENROL_USER)


def _password(state: Path, user: str) -> str:
    path = _password_path(state, user)
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        raise NotFoundError(
            f"There is no broker in {state}", f"{path} is missing", "`lamplight up` starts one"
        ) from None


def prepare(
    state: Path, port: int, fleet: str, host: str = "127.0.0.1", boards: Listener | None = None
) -> BrokerCommand:
    """Write all the broker's files under `state` and say how to start it. Safe to repeat.

    With `boards` it listens a second time, for them. Only mosquitto can: UsageError when only the fallback is there.
    """
    where = folder(state).resolve()
    where.mkdir(parents=True, exist_ok=True, mode=0o700)
    for user in _OWN_USERS:
        _ensure_user(state, user)
    mosquitto = find_mosquitto()
    if mosquitto is None and boards:
        raise UsageError(
            "Boards cannot reach the built-in broker",
            "it has no TLS and listens on this machine only",
            "install mosquitto (apt install mosquitto, brew install mosquitto)",
        )
    if mosquitto is None:
        fallback = [sys.executable, "-m", "cloud_shim.broker.fallback", "--folder", str(where)]
        return BrokerCommand([*fallback, "--host", host, "--port", str(port), "--fleet", fleet], FALLBACK_NOTE)
    # The shim, which knows better, comes later than the first devices.
    credentials.write_private(where / "access", access.mosquitto_acl(fleet, _listed(where)))
    config = where / "mosquitto.conf"
    text = configuration(where, host, port) + (_listener(where, boards) if boards else "")
    credentials.write_private(config, text)
    return BrokerCommand([mosquitto, "-c", str(config)], "")


def find_mosquitto() -> str | None:
    """The mosquitto program; Debian and Homebrew install it outside many users' PATH."""
    return shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), *_SYSTEM_FOLDERS]))


def _user() -> list[tuple[str, object]]:
    """Started by root, mosquitto would change to a user that cannot read these files; another user it leaves alone.

    A user needs no name: in a container there may be none.
    """
    return [("user", pwd.getpwuid(0).pw_name)] if os.geteuid() == 0 else []


def configuration(where: Path, host: str, port: int) -> str:
    """mosquitto.conf for the files in `where`; see mosquitto.conf(5) for the words."""
    options: list[tuple[str, object]] = [
        ("listener", f"{port} {host}"),
        *_user(),
        ("pid_file", where / "mosquitto.pid"),
        ("set_tcp_nodelay", "true"),
        ("allow_anonymous", "false"),
        ("password_file", where / "passwords"),
        ("acl_file", where / "access"),
        ("persistence", "true"),
        ("persistence_location", f"{where}/"),
        # Saved once a minute: on each change mosquitto would write its whole database anew, gigabytes for one model
        # of a few megabytes. A killed broker gets its losses back: the shim sends every `desired` at each
        # reconnection, and a device asks for missing chunks.
        ("autosave_interval", "60"),
        ("persistent_client_expiration", "30d"),
        # The longest body, and room for its topic.
        ("max_packet_size", MAX_MESSAGE + 1024),
        # Per client, beyond those in flight: 1000 is far above the needs of a device's small windows. More for the shim
        # would be more of a flood to get through before the next device's turn; it has lost states sent again.
        ("max_queued_messages", "1000"),
        ("max_queued_bytes", 64 * MAX_MESSAGE),
        # The shim must see the messages kept for a revoked device, to remove them (strays.py).
        ("check_retain_source", "false"),
        ("log_dest", "stderr"),
        *(("log_type", kind) for kind in ("error", "warning", "notice")),
        ("connection_messages", "false"),
    ]
    return "".join(f"{key} {value}\n" for key, value in options)


def _listener(where: Path, boards: Listener) -> str:
    """The second listener. It stands last: the options before it are for both."""
    files = certificates.ensure(where, boards.names)
    return f"listener {boards.port} {boards.host}\ncertfile {files.certificate}\nkeyfile {files.key}\n"


def set_devices(
    state: Path,
    fleet: str,
    hashes: Mapping[str, str],
    limited: Collection[str] = (),
    closed: access.Closed = access.OPEN,
) -> None:
    """Let exactly these devices (and our own users) in, and tell a running broker.

    The `limited` ones may only ask for a new password. A device with a changed password is disconnected; others stay.
    The fallback knows nothing of `closed` topics.
    """
    where = folder(state).resolve()
    known = credentials.read(where / "passwords")
    credentials.write(where / "passwords", {**hashes, **{user: known[user] for user in _OWN_USERS}})
    credentials.write_private(where / "access", access.mosquitto_acl(fleet, hashes.keys() - set(limited), closed))
    _reload(where)


def renew_enrol_password(state: Path) -> None:
    """Replace the password of boards still asking for their own. Older cards with the previous one are then useless."""
    _make_user(state, topics.ENROL_USER)
    _reload(folder(state).resolve())


def _listed(where: Path) -> set[str]:
    path = where / "access"
    return access.listed(path.read_text()) if path.exists() else set()


def _password_path(state: Path, user: str) -> Path:
    return folder(state) / f"{user.removeprefix('_')}.password"


def _ensure_user(state: Path, user: str) -> None:
    hash, path = credentials.read(folder(state) / "passwords").get(user), _password_path(state, user)
    # Both are compared: an interrupted run may have left one of them from before.
    if hash is None or not path.exists() or not credentials.matches(path.read_text().strip(), hash):
        _make_user(state, user)


def _make_user(state: Path, user: str) -> None:
    """Give the user a new password, still to be told to a running broker."""
    path, password = folder(state) / "passwords", new_password()
    credentials.write_private(_password_path(state, user), password + "\n")
    credentials.write(path, {**credentials.read(path), user: hash_password(password)})


def _reload(where: Path) -> None:
    """Make mosquitto read its password file again; the fallback does so by itself."""
    try:
        pid = int((where / "mosquitto.pid").read_text())
    except (FileNotFoundError, ValueError):
        return
    if _is_ours(pid, where):
        os.kill(pid, signal.SIGHUP)


def _is_ours(pid: int, where: Path) -> bool:
    """Whether `pid` is this folder's broker: after a kill the number may belong to some other process."""
    config = str(where / "mosquitto.conf")
    # On Linux without a process of its own: a flood grows while the broker is not told.
    if (told := Path(f"/proc/{pid}/cmdline")).exists():
        return config.encode() in told.read_bytes()
    listed = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return config in listed.stdout
