"""Networks as netplan has them, version 2, for a system with NetworkManager (netplan's YAML reference). Pure.

Where netplan has no word for something, NetworkManager's own goes through (`passthrough`).
"""

from collections.abc import Mapping

from flashing.networks import OPEN, WPA3, Address, Networks, Wifi, keyfile


def network(networks: Networks) -> Mapping[str, object]:
    """The content of `network`. Optional: a boot does not wait for a cable."""
    made: dict[str, object] = {"version": 2, "ethernets": {"eth0": {**_cable(networks.wired), "optional": True}}}
    if networks.wifi:
        points = {each.ssid: _access_point(each) for each in networks.wifi}
        # Cloud-init has netplan read this file alone, without the one in which the system chooses NetworkManager.
        radio = {"renderer": "NetworkManager", "dhcp4": True, "optional": True, "regulatory-domain": networks.country}
        made["wifis"] = {"wlan0": {**radio, "access-points": points}}
    return made


def _cable(address: Address | None) -> Mapping[str, object]:
    if address is None:
        return {"dhcp4": True}
    told: dict[str, object] = {"dhcp4": False, "addresses": [str(address.interface)]}
    if address.gateway:
        told["routes"] = [{"to": "0.0.0.0/0", "via": str(address.gateway)}]
    if address.dns:
        told["nameservers"] = {"addresses": [str(each) for each in address.dns]}
    return told


def _access_point(wifi: Wifi) -> Mapping[str, object]:
    hidden: dict[str, object] = {"hidden": True} if wifi.hidden else {}
    through = _through(wifi)
    return {**hidden, **_security(wifi), **({"networkmanager": {"passthrough": through}} if through else {})}


def _security(wifi: Wifi) -> Mapping[str, object]:
    if wifi.account:
        told = {"identity": wifi.account.identity, "anonymous-identity": wifi.account.anonymous, "password": wifi.key}
        how = {"key-management": "eap", "method": "peap", "phase2-auth": "mschapv2"}
        named = {key: value for key, value in told.items() if value}
        return {"auth": {**how, **named, "ca-certificate": wifi.account.authority}}
    if wifi.security == WPA3:
        return {"auth": {"key-management": "sae", "password": wifi.key}}
    # As the point's own key, the password is for WPA2, or WPA3 where it is one.
    return {} if wifi.security == OPEN else {"password": wifi.key}


def _through(wifi: Wifi) -> Mapping[str, str]:
    """NetworkManager's keys that go through. What a network says of its address is not for the others of the radio."""
    told: dict[str, str] = {}
    if wifi.priority:
        told["connection.autoconnect-priority"] = str(wifi.priority)
    if wifi.account and wifi.account.domain:
        told["802-1x.domain-suffix-match"] = wifi.account.domain
    if wifi.address:
        told |= {f"ipv4.{key}": value for key, value in keyfile.ipv4(wifi.address).items()}
    if ";" in wifi.ssid:
        # Netplan writes the name as a text, where NetworkManager takes this for more than it is.
        told["wifi.ssid"] = keyfile.ssid(wifi.ssid)
    return told
