"""The networks that a board is to join: Wi-Fi of each kind, and addresses that stay the same. Pure.

What a person writes is checked and made into these here, from options or from a file (file.py). How an image is told
about them is netplan.py's and keyfile.py's.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Interface

from device.errors import UsageError

# How a network lets somebody in. TRANSITION is WPA2, or WPA2 and WPA3 side by side. WPA2 is that alone: NetworkManager
# offers WPA3 with it too, and there a key in place of the password lets nobody in.
WPA2, TRANSITION, WPA3, OPEN, ENTERPRISE = "wpa2", "transition", "wpa3", "open", "enterprise"
# NetworkManager's own range (connection.autoconnect-priority).
PRIORITY = 999
_HEX = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_DOMAIN = re.compile(r"([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?", re.ASCII)
# In Windows' password change protocol, MS-CHAP's (RFC 2759); in a RADIUS user name (RFC 2865).
_MAX_PASSWORD, _MAX_IDENTITY = 256, 253


@dataclass(frozen=True)
class Address:
    """An address that stays the same, with its network; the way out of there, if any, and who knows names."""

    interface: IPv4Interface
    gateway: IPv4Address | None = None
    dns: tuple[IPv4Address, ...] = ()


@dataclass(frozen=True)
class Account:
    """A person's account in an enterprise's network, by PEAP with MS-CHAPv2; the password is the network's key.

    `anonymous` is the name sent before the server has shown who it is, "" for `identity`. The server must show a
    certificate for `domain`, or a host in it ("" for any name), signed by the one in the file `authority` on the board.
    """

    identity: str
    anonymous: str
    domain: str
    authority: str


@dataclass(frozen=True)
class Wifi:
    """A network; a `hidden` one keeps its name to itself. Of several in reach the highest priority is joined.

    `key` is for WPA2 the 256-bit pre-shared key as hexadecimal digits. For the others it is the password itself, for
    their handshakes take that, and "" for an open network. `address` is None where the network gives one.
    """

    ssid: str
    key: str = field(repr=False)
    security: str = TRANSITION
    hidden: bool = False
    priority: int = 0
    address: Address | None = None
    account: Account | None = None


@dataclass(frozen=True)
class Networks:
    """All of a board's networks. `country` is an ISO 3166-1 code, "" without Wi-Fi; `wired` the address on the cable.

    `files` are those for the boot partition, by name: the certificates that accounts name.
    """

    country: str = ""
    wifi: tuple[Wifi, ...] = ()
    wired: Address | None = None
    files: Mapping[str, str] = field(default_factory=dict[str, str])


def country(code: str) -> str:
    """The code of a country, as it is; raises UsageError."""
    if not _COUNTRY.fullmatch(code):
        raise UsageError(f"{code!r} is no country", "", "two capital letters, such as DE")
    return code


def wifi(ssid: str, password: str, security: str = TRANSITION, hidden: bool = False) -> Wifi:
    """The network `ssid`; for WPA2 its key is made of the password as IEEE 802.11 does (annex J.4).

    `password` is "" for an open network. Raises UsageError.
    """
    if not ssid.isprintable() or not 1 <= len(ssid.encode("utf-8", "surrogatepass")) <= 32:
        raise UsageError("That is no name of a Wi-Fi network", "it has 1 to 32 bytes of UTF-8 that can be printed")
    if security == WPA2:
        return Wifi(ssid, _psk(ssid, password), WPA2, hidden)
    if security == TRANSITION:
        return Wifi(ssid, _phrase(password), TRANSITION, hidden)
    if security == WPA3:
        return Wifi(ssid, _sae_password(password), WPA3, hidden)
    return Wifi(ssid, "", OPEN, hidden)


def enterprise(ssid: str, password: str, account: Account, hidden: bool = False) -> Wifi:
    """The enterprise's network `ssid`, joined with a person's account; raises UsageError."""
    for name, what in ((account.identity, "identity"), (account.anonymous or "-", "anonymous name")):
        if not (name.isprintable() and 1 <= len(name.encode()) <= _MAX_IDENTITY):
            raise UsageError(
                f"The {what} cannot be right", f"it has 1 to {_MAX_IDENTITY} bytes of UTF-8 that can be printed"
            )
    if account.domain and not _DOMAIN.fullmatch(account.domain):
        raise UsageError(f"{account.domain!r} is no domain", "", 'such as domain = "radius.example.org"')
    if not (password.isprintable() and 1 <= len(password) <= _MAX_PASSWORD):
        raise UsageError("The password cannot be right", f"it has 1 to {_MAX_PASSWORD} characters that can be printed")
    named = wifi(ssid, "", OPEN, hidden)
    return replace(named, key=password, security=ENTERPRISE, account=account)


def address(text: str, gateway: str = "", dns: tuple[str, ...] = ()) -> Address:
    """The address `text`, as in 192.168.1.50/24; raises UsageError for one that no board in that network can have."""
    host, _, prefix = text.partition("/")
    if not prefix:
        raise UsageError(f"The address {text!r} does not say how large its network is", "", f"such as {host}/24")
    if not (prefix.isascii() and prefix.isdigit() and 1 <= int(prefix) <= 30):
        raise UsageError(f"{text!r} is no address with its network", "a network has 1 to 30 bits", f"such as {host}/24")
    found = IPv4Interface((_ipv4(host, "an address for a board"), int(prefix)))
    _refuse_unfit(found)
    servers = tuple(_ipv4(each, "the address of a DNS server") for each in dns)
    return Address(found, _gateway(gateway, found) if gateway else None, servers)


def _refuse_unfit(interface: IPv4Interface) -> None:
    network = interface.network
    if interface.ip in (network.network_address, network.broadcast_address):
        which = "the network itself" if interface.ip == network.network_address else "everybody in the network"
        remedy = f"from {network.network_address + 1} to {network.broadcast_address - 1}"
        raise UsageError(f"{interface} is no address for a board", f"it means {which}", remedy)
    if interface.is_multicast or interface.is_loopback or interface.is_reserved or interface.is_unspecified:
        raise UsageError(
            f"{interface} is no address for a board", "it has a meaning of its own", "such as 192.168.1.50/24"
        )


def _gateway(text: str, interface: IPv4Interface) -> IPv4Address:
    found, network = _ipv4(text, "a gateway's address"), interface.network
    if found not in network:
        raise UsageError(
            f"The gateway {found} is out of the board's reach",
            f"{interface} is in the network {network}, and the gateway is not",
            "correct the gateway, or the number after the / of the address",
        )
    if found in (network.network_address, network.broadcast_address, interface.ip):
        of = "the board itself" if found == interface.ip else "no single machine"
        raise UsageError(f"The gateway {found} cannot be right", f"it is the address of {of}")
    return found


def _ipv4(text: str, what: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except ValueError:
        raise UsageError(f"{text!r} is not {what}", "that is IPv4's, four numbers", "such as 192.168.1.50") from None


def _sae_password(password: str) -> str:
    if not (password.isprintable() and 1 <= len(password.encode("utf-8", "surrogatepass")) <= 63):
        raise UsageError("The Wi-Fi password cannot be right", "WPA3 takes 1 to 63 bytes that can be printed")
    return password


def _phrase(password: str) -> str:
    if _HEX.fullmatch(password):
        why = "64 hexadecimal digits are a key, which only a network with WPA2 alone takes"
        raise UsageError("The Wi-Fi password cannot be right", why, "give the password, or the security wpa2")
    return _passphrase(password)


def _passphrase(password: str, otherwise: str = "") -> str:
    if not (8 <= len(password) <= 63 and all(" " <= each <= "~" for each in password)):
        raise UsageError(
            "The Wi-Fi password cannot be right",
            f"it has {len(password)} characters; WPA takes 8 to 63 of ASCII{otherwise}",
        )
    return password


def _psk(ssid: str, password: str) -> str:
    if _HEX.fullmatch(password):
        return password.lower()
    phrase = _passphrase(password, ", or 64 hexadecimal digits")
    return hashlib.pbkdf2_hmac("sha1", phrase.encode(), ssid.encode(), 4096, 32).hex()
