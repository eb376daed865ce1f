"""mosquitto's password file: the hash of each user's password on the broker. Both brokers use it.

The format of a hash is `$7$`, see device/enrol/secret.py. A password never stands on a command line. The signal to the
broker to read the file again is sent by setup.py.
"""

import base64
import hmac
import os
from collections.abc import Mapping
from pathlib import Path

from device.enrol.secret import derive


def matches(password: str, hashed: str) -> bool:
    """Whether `password` is the one in `hashed`; False for a hash of another form."""
    try:
        _, form, iterations, salt, derived = hashed.split("$")
        computed = derive(password, base64.b64decode(salt, validate=True), int(iterations))
    except ValueError:
        return False
    return form == "7" and hmac.compare_digest(computed, derived)


def read(path: Path) -> dict[str, str]:
    """The hash of each user in the password file; empty before there is a file."""
    if not path.exists():
        return {}
    return dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)


def write(path: Path, hashes: Mapping[str, str]) -> None:
    """Replace the password file, readable by its owner only, in one step."""
    write_private(path, "".join(f"{user}:{hashed}\n" for user, hashed in sorted(hashes.items())))


def write_private(path: Path, text: str) -> None:
    """Replace `path` by a file with `text`, readable by its owner only, in one step."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
