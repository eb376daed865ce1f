"""The files of a device of this fleet: its password, its roots of trust, the agent's configuration.

The shim's answer for a new device goes to disk here, readable by its owner only. The caller asks the shim.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FLEET = "home"
BOARD = "lamplight/simulated"


@dataclass(frozen=True)
class DeviceFiles:
    """Where one device's files lie: everything in `folder`; `socket` is its simulated hardware's."""

    name: str
    folder: Path
    socket: Path

    @property
    def config(self) -> Path:
        """The agent's configuration."""
        return self.folder / "agent.toml"

    @property
    def state(self) -> Path:
        """The agent's own folder: slots, outbox, boot counter."""
        return self.folder / "state"

    def write(self, given: dict[str, Any], mqtt_port: int, http_port: int) -> None:
        """Write the shim's answer for this device, and with it the configuration."""
        _write(self.folder / "password", given["password"])
        _write(self.folder / "roots" / "director-root.json", given["director_root"])
        _write(self.folder / "roots" / "image-root.json", given["image_root"])
        _write(self.config, agent_toml(self, mqtt_port, http_port))


def agent_toml(files: DeviceFiles, mqtt_port: int, http_port: int) -> str:
    """The agent's configuration for these files; its form is device/config.py's."""
    return f"""\
fleet = {_quoted(FLEET)}
device = {_quoted(files.name)}
board = {_quoted(BOARD)}
state = {_quoted(files.state)}
roots = {_quoted(files.folder / "roots")}
simulation = {_quoted(files.socket)}

[broker]
host = "127.0.0.1"
port = {mqtt_port}
username = {_quoted(files.name)}
password_file = {_quoted(files.folder / "password")}

[http]
port = {http_port}
"""


def _quoted(value: str | Path) -> str:
    """A TOML basic string; JSON's escapes are a subset of TOML's."""
    return json.dumps(str(value), ensure_ascii=False)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
