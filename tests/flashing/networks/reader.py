"""Runs inside a root of a board's system: reads network settings with that system's own parsers, as JSON lines.

Each line of standard input is a JSON object: `netplan` (the YAML of a file) or `keyfiles` (texts). Each line of the
answer is a list of connections, each as libnm has it after reading and verifying, or a text with the error.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import gi  # pyright: ignore[reportMissingImports]

gi.require_version("NM", "1.0")
from gi.repository import NM, GLib  # noqa: E402 # pyright: ignore[reportMissingImports]

GENERATE = "/usr/libexec/netplan/generate"


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            texts = generated(asked["netplan"]) if "netplan" in asked else asked["keyfiles"]
            answer: Any = [connection(each) for each in texts]
        except (GLib.Error, ValueError) as error:
            answer = str(error)
        print(json.dumps(answer), flush=True)


def generated(yaml: str) -> list[str]:
    """The keyfiles that netplan makes of it, by the names it gives them."""
    folder = Path(tempfile.mkdtemp())
    try:
        (folder / "etc/netplan").mkdir(parents=True)
        # The image's own choice: Raspberry Pi OS has NetworkManager for all.
        chosen = "network: {version: 2, renderer: NetworkManager}\n"
        for name, text in (("00-network-manager-all", chosen), ("50-cloud-init", yaml)):
            (folder / f"etc/netplan/{name}.yaml").write_text(text, "utf-8")
            (folder / f"etc/netplan/{name}.yaml").chmod(0o600)
        done = subprocess.run([GENERATE, "--root-dir", folder], capture_output=True, text=True)
        if done.returncode or done.stderr:
            raise ValueError(done.stderr)
        made = (folder / "run/NetworkManager/system-connections").glob("*.nmconnection")
        return [each.read_text("utf-8") for each in sorted(made)]
    finally:
        shutil.rmtree(folder)


def connection(text: str) -> dict[str, Any]:
    """What NetworkManager reads in a keyfile; a warning of its parser is an error."""
    keyfile = GLib.KeyFile()
    keyfile.load_from_data(text, len(text.encode()), GLib.KeyFileFlags.NONE)
    warned: list[str] = []

    def handler(_file: Any, kind: Any, data: Any, _user: Any = None) -> bool:
        if kind == NM.KeyfileHandlerType.WARN:
            warned.append(str(data.warn_get()))
        return True

    read = NM.keyfile_read(keyfile, "/etc", NM.KeyfileHandlerFlags.NONE, handler)
    setting = read.get_setting_connection()
    # The daemon makes one of the file's name where there is none.
    setting.set_property("uuid", setting.get_uuid() or str(uuid.uuid4()))
    read.normalize()
    if security := read.get_setting_wireless_security():
        security.verify(read)
        security.verify_secrets(read)
    if warned:
        raise ValueError("; ".join(warned))
    secrets = NM.ConnectionSerializationFlags.ALL
    return read.to_dbus(secrets).unpack()


if __name__ == "__main__":
    main()
