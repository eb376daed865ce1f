"""What a running machine is given to become a device: the same as a card of the running shim has."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from device import config
from flashing.commands import machine_options
from flashing.commands.machine_options import MachineOptions


class Shim:
    """A shim whose broker boards can reach."""

    def health(self) -> dict[str, Any]:
        return {"broker": {"boards": 8883, "names": ["Lamp.local"]}}

    def card(self, device: str, token: bool, again: bool) -> dict[str, Any]:
        assert (device, token, again) == ("shelf-pi", True, False)
        roots = {"director_root": "{}", "image_root": "{}"}
        return {"broker": {"port": 8883, "ca": "PEM"}, "enrol_password": "asks", "token": "once", **roots}


def test_it_is_given_a_token_and_the_authority_and_asks_at_the_shims_broker(tmp_path: Path) -> None:
    asked = MachineOptions("", "shelf-pi", "lamp.local", no_tls=False, folder=None, fleet="home", again=False)
    options: Any = SimpleNamespace(client=Shim())
    files = machine_options._identity(options, asked, "shelf-pi", "linux/x86-64")
    assert {"agent.toml", "enrol", "token", "ca.pem"} <= set(files)
    (tmp_path / "agent.toml").write_bytes(files["agent.toml"])
    taken = config.load(tmp_path / "agent.toml")
    assert (taken.board, taken.broker.host, taken.broker.port, taken.broker.tls) == (
        "linux/x86-64",
        "lamp.local",
        8883,
        True,
    )
