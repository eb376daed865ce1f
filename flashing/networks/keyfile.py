"""Networks as NetworkManager's keyfiles (nm-settings-keyfile(5)). Pure."""

import uuid
from collections.abc import Mapping

from flashing.networks import ENTERPRISE, TRANSITION, WPA2, WPA3, Address, Networks, Wifi

# What the name before a dot is in a keyfile: a section.
Sections = Mapping[str, Mapping[str, str]]
_KEY_MANAGEMENT = {WPA2: "wpa-psk", TRANSITION: "wpa-psk", WPA3: "sae", ENTERPRISE: "wpa-eap"}
# GLib takes a space at the beginning away, and reads these in a value (GKeyFile).
_ESCAPED = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def files(networks: Networks) -> Mapping[str, str]:
    """The keyfiles, by their names."""
    made = {f"wifi-{number}": _wifi(f"wifi-{number}", each) for number, each in enumerate(networks.wifi, 1)}
    if networks.wired is not None:
        made["wired"] = _wired(networks.wired)
    return {f"{name}.nmconnection": _text(sections) for name, sections in made.items()}


def ssid(name: str) -> str:
    """The network's name as its bytes. As a text NetworkManager would take "65;66;" for bytes, and \\; for a ;."""
    return "".join(f"{each};" for each in name.encode())


def ipv4(address: Address) -> Mapping[str, str]:
    """The keys of the section [ipv4]."""
    way = f",{address.gateway}" if address.gateway else ""
    servers = {"dns": "".join(f"{each};" for each in address.dns)} if address.dns else {}
    return {"method": "manual", "address1": f"{address.interface}{way}", **servers}


def _wifi(name: str, wifi: Wifi) -> Sections:
    there: dict[str, Mapping[str, str]] = {
        "connection": _connection(name, "wifi", wifi.ssid, {"autoconnect-priority": str(wifi.priority)}),
        "wifi": {"mode": "infrastructure", "ssid": ssid(wifi.ssid), "hidden": str(wifi.hidden).lower()},
    }
    if wifi.security in _KEY_MANAGEMENT:
        psk = {} if wifi.account else {"psk": _escaped(wifi.key)}
        there["wifi-security"] = {"key-mgmt": _KEY_MANAGEMENT[wifi.security], **psk}
    if wifi.account:
        there["802-1x"] = _account(wifi)
    return {**there, **_addresses(wifi.address)}


def _account(wifi: Wifi) -> Mapping[str, str]:
    account = wifi.account
    assert account is not None
    optional = {"anonymous-identity": account.anonymous, "domain-suffix-match": account.domain}
    return {
        "eap": "peap;",
        "phase2-auth": "mschapv2",
        "identity": _escaped(account.identity),
        "password": _escaped(wifi.key),
        "ca-cert": account.authority,
        **{key: _escaped(value) for key, value in optional.items() if value},
    }


def _wired(address: Address) -> Sections:
    return {"connection": _connection("wired", "ethernet", "wired", {"interface-name": "eth0"}), **_addresses(address)}


def _connection(name: str, kind: str, shown: str, more: Mapping[str, str]) -> Mapping[str, str]:
    # Made anew, a card has the same ones: a network is not there twice.
    identity = uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.networks.lamplight")
    return {"id": _escaped(shown), "uuid": str(identity), "type": kind, **more}


def _addresses(address: Address | None) -> Sections:
    return {"ipv4": ipv4(address) if address else {"method": "auto"}, "ipv6": {"method": "auto"}}


def _escaped(value: str) -> str:
    text = value.translate(_ESCAPED)
    return "\\s" + text[1:] if text.startswith(" ") else text


def _text(sections: Sections) -> str:
    lines: list[str] = []
    for section, keys in sections.items():
        lines += [f"[{section}]", *(f"{key}={value}" for key, value in keys.items()), ""]
    return "\n".join(lines)
