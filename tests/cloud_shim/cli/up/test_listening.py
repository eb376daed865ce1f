"""`--listen ADDRESS[:PORT]`, and what people type there."""

import pytest

from cloud_shim.cli import main as cli
from cloud_shim.cli.up import listening
from device.errors import UsageError


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("0.0.0.0", "0.0.0.0", 8883),
        ("192.168.1.10:18883", "192.168.1.10", 18883),
        ("::1", "::1", 8883),
        ("0:0::1", "::1", 8883),
        ("FE80::1", "fe80::1", 8883),
        ("[::1]", "::1", 8883),
        ("[fe80::1]:9000", "fe80::1", 9000),
    ],
)
def test_addresses_with_and_without_a_port(text: str, host: str, port: int) -> None:
    found = listening.parse(text, ())
    assert (found.host, found.port) == (host, port)


def test_the_names_that_boards_use_are_added_once() -> None:
    found = listening.parse("192.168.1.10", ("lamp.example", "192.168.1.10"))
    assert list(found.names).count("192.168.1.10") == 1
    assert "lamp.example" in found.names


@pytest.mark.parametrize("text", ["lamp.local", "192.168.1.10:", "192.168.1.10:0", "192.168.1.10:99999", "", "1.2.3:x"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        listening.parse(text, ())


@pytest.mark.parametrize(
    "name", ["lämp.local", "http://lamp", "a..b", "lamp.local/", "lamp local", "-lamp", "1.2.3.999", ""]
)
def test_what_is_no_name_of_a_machine_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="no name of a machine"):
        listening.parse("0.0.0.0", (name,))


def test_a_name_for_boards_without_a_listener_for_them_is_not_ignored(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["up", "--listen-name", "lamp.local"]) == UsageError.exit_code
    assert "--listen 0.0.0.0" in capsys.readouterr().err
