"""Runs inside a root of a board's system: reads network settings with that system's own parsers, as JSON lines.

Each line of standard input is a JSON object: `network_config` (a file of cloud-init's) or `keyfiles` (texts). Each line
of the answer is a list of connections, each as libnm has it after reading and verifying, or a text with the error.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import gi

gi.require_version("NM", "1.0")
from gi.repository import NM, GLib  # noqa: E402

GENERATE = "/usr/libexec/netplan/generate"


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            texts = generated(asked["network_config"]) if "network_config" in asked else asked["keyfiles"]
            answer: Any = [connection(each) for each in texts]
        except Exception as error:
            answer = f"{type(error).__name__}: {error}"
        print(json.dumps(answer), flush=True)


def generated(network_config: str) -> list[str]:
    """The keyfiles that come of cloud-init's `network-config`: through its own renderer, and netplan."""
    folder = Path(tempfile.mkdtemp())
    try:
        written(network_config, folder)
        done = subprocess.run([GENERATE, "--root-dir", folder], capture_output=True, text=True)
        if done.returncode or done.stderr:
            raise ValueError(done.stderr)
        made = (folder / "run/NetworkManager/system-connections").glob("*.nmconnection")
        return [each.read_text("utf-8") for each in sorted(made)]
    finally:
        shutil.rmtree(folder)


def written(network_config: str, folder: Path) -> None:
    """Netplan's files in `folder`, as they are on the board."""
    # Imported here: Bookworm has neither.
    from cloudinit import util
    from cloudinit.net import netplan, network_state
    from netplan import Parser, State

    (folder / "etc/netplan").mkdir(parents=True)
    # The image's own choice: Raspberry Pi OS has NetworkManager for all.
    chosen = folder / "etc/netplan/00-network-manager-all.yaml"
    chosen.write_text("network: {version: 2, renderer: NetworkManager}\n")
    chosen.chmod(0o600)
    renderer = netplan.Renderer()
    state = network_state.parse_net_config_data(util.load_yaml(network_config)["network"], renderer=renderer)
    # As the renderer does then, into its own root.
    parser, output = Parser(), State()
    with tempfile.SpooledTemporaryFile(mode="w") as file:
        file.write(renderer._render_content(state))
        file.seek(0)
        parser.load_yaml(file)
    output.import_parser_results(parser)
    output._write_yaml_file("50-cloud-init.yaml", str(folder))


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
