"""Networks made as the standards say, and every one refused that there cannot be."""

import pytest

from device.errors import UsageError
from flashing import networks
from flashing.networks import Account

ACCOUNT = Account("me@uni.example", "", "", "/boot/firmware/wifi-authority-1.pem")


def test_the_key_is_that_of_the_standards_own_example() -> None:
    # IEEE 802.11i, annex H.4.1.
    key = networks.wifi("IEEE", "password", networks.WPA2).key
    assert key == "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"


def test_a_key_is_taken_as_it_is() -> None:
    assert networks.wifi("home", "AB" * 32, networks.WPA2).key == "ab" * 32


def test_wpa3_takes_the_password_itself_and_an_open_network_none() -> None:
    assert networks.wifi("home", "short", networks.WPA3).key == "short"
    assert networks.wifi("guests", "", networks.OPEN, hidden=True).key == ""


@pytest.mark.parametrize("password", ["", "x" * 64, "two\nlines", "ü" * 32])
def test_a_password_that_no_wpa3_network_has(password: str) -> None:
    with pytest.raises(UsageError, match="password cannot be right"):
        networks.wifi("home", password, networks.WPA3)


@pytest.mark.parametrize("password", ["", "short", "x" * 64, "pässword!", "tab\tinside"])
def test_a_password_that_no_network_has(password: str) -> None:
    with pytest.raises(UsageError) as caught:
        networks.wifi("home", password, networks.WPA2)
    assert not password or password not in str(caught.value)


@pytest.mark.parametrize("ssid", ["", "x" * 33, "ü" * 17, "two\nlines", "nul\0", "line\u2028", "\udcff"])
def test_a_name_that_no_network_has(ssid: str) -> None:
    with pytest.raises(UsageError, match="no name of a Wi-Fi"):
        networks.wifi(ssid, "password")


@pytest.mark.parametrize("country", ["", "de", "DEU", "D'", "Germany"])
def test_a_country_that_is_none(country: str) -> None:
    with pytest.raises(UsageError, match="no country"):
        networks.country(country)


@pytest.mark.parametrize("password", ["", "short", "x" * 64, "pässword!"])
def test_a_password_that_no_network_in_transition_has(password: str) -> None:
    with pytest.raises(UsageError, match="password cannot be right"):
        networks.wifi("home", password, networks.TRANSITION)


def test_a_key_in_place_of_the_password_is_for_wpa2_alone() -> None:
    with pytest.raises(UsageError, match="the security wpa2"):
        networks.wifi("home", "ab" * 32)


def test_unless_told_otherwise_the_password_is_kept_for_either_handshake() -> None:
    assert networks.wifi("home", "correct horse").key == "correct horse"


@pytest.mark.parametrize(
    ("password", "account", "words"),
    [
        ("", ACCOUNT, "password cannot"),
        ("x" * 257, ACCOUNT, "password cannot"),
        ("two\nlines", ACCOUNT, "password cannot"),
        ("secret", Account("", "", "", "ca"), "identity cannot"),
        ("secret", Account("x" * 254, "", "", "ca"), "identity cannot"),
        ("secret", Account("a\nb", "", "", "ca"), "identity cannot"),
        ("secret", Account("me", "a\nb", "", "ca"), "anonymous name cannot"),
        ("secret", Account("me", "", "https://uni.example", "ca"), "no domain"),
        ("secret", Account("me", "", "example", "ca"), "no domain"),
    ],
)
def test_an_account_that_no_enterprise_has(password: str, account: Account, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        networks.enterprise("work", password, account)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("192.168.1.50", "how large its network is.*192.168.1.50/24"),
        ("192.168.1.50/", "how large"),
        ("192.168.1.50/0", "1 to 30 bits"),
        ("192.168.1.50/31", "1 to 30 bits"),
        ("192.168.1.50/255.255.255.0", "1 to 30 bits"),
        ("192.168.1.50/٢٤", "1 to 30 bits"),
        ("192.168.1/24", "not an address"),
        ("192.168.01.50/24", "not an address"),
        ("fd00::1/24", "not an address"),
        ("192.168.1.0/24", "means the network itself.*from 192.168.1.1 to 192.168.1.254"),
        ("192.168.1.255/24", "everybody"),
        ("127.0.0.1/8", "a meaning of its own"),
        ("224.0.0.5/24", "a meaning of its own"),
        ("", "how large"),
    ],
)
def test_an_address_that_no_board_can_have(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        networks.address(text)


@pytest.mark.parametrize(
    ("gateway", "words"),
    [
        ("192.168.2.1", "out of the board's reach.*192.168.1.0/24"),
        ("192.168.1.50", "the board itself"),
        ("192.168.1.0", "no single machine"),
        ("router", "not a gateway's address"),
        ("fe80::1", "not a gateway's address"),
    ],
)
def test_a_gateway_that_leads_nowhere(gateway: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        networks.address("192.168.1.50/24", gateway)


def test_a_dns_server_is_an_address() -> None:
    with pytest.raises(UsageError, match="is not the address of a DNS server"):
        networks.address("192.168.1.50/24", "192.168.1.1", ("9.9.9.9", "dns.example"))


def test_no_secret_is_where_it_is_shown() -> None:
    made = [networks.wifi("home", "correct horse", kind) for kind in ("wpa2", "wpa3", "transition")]
    told = repr([*made, networks.enterprise("work", "correct horse", ACCOUNT)])
    assert "correct horse" not in told and made[0].key not in told
