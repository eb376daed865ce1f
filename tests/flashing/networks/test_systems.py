"""Every network as the images' systems read it: Bookworm and the first Trixie by firstrun.sh, Trixie by cloud-init."""

import stat
import subprocess
from collections.abc import Sequence
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flashing import networks
from flashing.firstboot import MOUNTED, Settings, cloud_init, firstrun
from flashing.networks import ENTERPRISE, OPEN, TRANSITION, WPA2, WPA3, Account, Address, Networks, Wifi
from tests.flashing.networks.systems import System

CONFIG = {"cmdline.txt": "root=PARTUUID=1-02", "config.txt": ""}
AUTHORITY = f"{MOUNTED}/wifi-authority-1.pem"
STATIC = networks.address("192.168.1.50/24", "192.168.1.1", ("192.168.1.1", "9.9.9.9"))
BARE = networks.address("10.0.0.7/8")
KEY_MANAGEMENT = {OPEN: "", WPA2: "wpa-psk", TRANSITION: "wpa-psk", WPA3: "sae", ENTERPRISE: "wpa-eap"}

# What a format could mistake, oftener than by chance.
ODD = st.sampled_from(list("\"'\\;#$`=[]{}:,&*!|>%@ ~/.\t0aä€🏠")).filter(str.isprintable)
PRINTED = st.one_of(ODD, st.characters(exclude_categories=["Cs", "Cc"]).filter(str.isprintable))
ASCII = st.one_of(ODD.filter(str.isascii), st.sampled_from([chr(each) for each in range(32, 127)]))


def within(size: int) -> st.SearchStrategy[str]:
    """Printed text of 1 to `size` bytes."""
    return st.text(PRINTED, min_size=1, max_size=size).filter(lambda text: len(text.encode()) <= size)


SSID = within(32)
HEX = st.text("0123456789abcdefABCDEF", min_size=64, max_size=64)
PASSPHRASE = st.text(ASCII, min_size=8, max_size=63)
HOST = st.from_regex(r"[a-z0-9]{1,9}(\.[a-z0-9]{1,9}){1,3}", fullmatch=True)
ADDRESS = st.sampled_from([None, STATIC, BARE])


@st.composite
def wifi(draw: st.DrawFn) -> Wifi:
    ssid, hidden = draw(SSID), draw(st.booleans())
    kind = draw(st.sampled_from(list(KEY_MANAGEMENT)))
    if kind == ENTERPRISE:
        account = Account(draw(within(60)), draw(st.just("") | within(60)), draw(st.just("") | HOST), AUTHORITY)
        made = networks.enterprise(ssid, draw(within(100)), account, hidden)
    else:
        secret = {WPA2: HEX | PASSPHRASE, TRANSITION: PASSPHRASE, WPA3: within(63), OPEN: st.just("")}[kind]
        made = networks.wifi(ssid, draw(secret), kind, hidden)
    priority = draw(st.integers(-networks.PRIORITY, networks.PRIORITY))
    return Wifi(ssid, made.key, kind, hidden, priority, draw(ADDRESS), made.account)


ALL = st.builds(
    lambda wifi, wired: Networks("DE", tuple(wifi), wired),
    st.lists(wifi(), min_size=1, max_size=4, unique_by=lambda each: each.ssid),
    ADDRESS,
)
AS_OFTEN = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
NAMES_TAKEN_FOR_OTHERS = Networks(
    "DE",
    tuple(
        networks.wifi(each, "correct horse", TRANSITION)
        for each in (
            "65;66;",
            "a\\;b",
            " x ",
            "\\s",
            "~",
            "null",
            "yes",
            "1",
            "*",
            "#home",
            "..",
            "a/b",
            "x" * 32,
            "é" * 16,
        )
    ),
)


def meant(wanted: Networks) -> list[dict[str, Any]]:
    """What each network should be to NetworkManager."""
    found = [_wifi_meant(each) for each in wanted.wifi]
    return sorted([*found, *([_address_meant(wanted.wired)] if wanted.wired else [])], key=_order)


def _order(told: dict[str, Any]) -> bytes:
    return told.get("ssid", b"")


def _wifi_meant(wifi: Wifi) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ssid": wifi.ssid.encode(),
        "hidden": wifi.hidden,
        "priority": wifi.priority,
        "key-mgmt": KEY_MANAGEMENT[wifi.security],
        "psk": "" if wifi.security == ENTERPRISE else wifi.key,
        **_address_meant(wifi.address),
    }
    if wifi.account:
        told["account"] = {
            "eap": ["peap"],
            "phase2-auth": "mschapv2",
            "identity": wifi.account.identity,
            "password": wifi.key,
            "anonymous-identity": wifi.account.anonymous,
            "domain-suffix-match": wifi.account.domain,
            "ca-cert": f"file://{wifi.account.authority}\0".encode(),
        }
    return told


def _address_meant(address: Address | None) -> dict[str, Any]:
    if address is None:
        return {"method": "auto", "address": [], "gateway": "", "dns": []}
    told = [{"address": str(address.interface.ip), "prefix": address.interface.network.prefixlen}]
    way = str(address.gateway or "")
    return {"method": "manual", "address": told, "gateway": way, "dns": [str(each) for each in address.dns]}


def taken(connections: Sequence[dict[str, Any]], wired: bool) -> list[dict[str, Any]]:
    """The same of what NetworkManager has read; without the cable's, if it is not `wired` by hand."""
    kept = [each for each in connections if wired or "802-11-wireless" in each]
    return sorted((_taken(each) for each in kept), key=_order)


def _taken(connection: dict[str, Any]) -> dict[str, Any]:
    ip, radio = connection["ipv4"], connection.get("802-11-wireless")
    way = ip.get("gateway") or "".join(each["next-hop"] for each in ip["route-data"])
    address = [{"address": str(IPv4Address(each["address"])), "prefix": each["prefix"]} for each in ip["address-data"]]
    told = {"method": ip["method"], "address": address, "gateway": way, "dns": ip.get("dns-data", [])}
    if radio is None:
        assert connection["connection"]["interface-name"] == "eth0"
        return told
    security, account = connection.get("802-11-wireless-security", {}), connection.get("802-1x")
    told |= {"ssid": bytes(radio["ssid"]), "hidden": radio.get("hidden", False)}
    told |= {"priority": connection["connection"].get("autoconnect-priority", 0)}
    told |= {"key-mgmt": security.get("key-mgmt", ""), "psk": security.get("psk", "")}
    if account:
        texts = {key: account.get(key, "") for key in ("identity", "anonymous-identity", "domain-suffix-match")}
        same = {key: account[key] for key in ("eap", "phase2-auth", "password")}
        told["account"] = {**texts, **same, "ca-cert": bytes(account["ca-cert"])}
    return told


def by_cloud_init(system: System, wanted: Networks) -> list[dict[str, Any]]:
    return system.cloud_init(cloud_init.files(CONFIG.__getitem__, Settings("pi", wanted, ""))["network-config"])


def by_script(folder: Path, wanted: Networks) -> list[Path]:
    """The keyfiles that firstrun.sh leaves on a board whose folders lie in `folder`."""
    connections, stubs = folder / "connections", folder / "bin"
    stubs.mkdir()
    (stubs / "raspi-config").write_text(f'#!/bin/sh\necho "$@" >{folder}/country\n')
    (stubs / "raspi-config").chmod(0o755)
    script = firstrun.files(CONFIG.__getitem__, Settings("pi", wanted, ""))[firstrun.SCRIPT]
    here = script.replace(firstrun.CONNECTIONS, str(connections)).replace(f" {MOUNTED}", f" {folder}/boot")
    environment = {"PATH": f"{stubs}:/usr/bin:/bin"}
    subprocess.run(["sh", "-c", here], env=environment, capture_output=True, check=True, cwd=folder)
    return sorted(connections.glob("*"))


def by_firstrun(system: System, wanted: Networks) -> list[dict[str, Any]]:
    with TemporaryDirectory() as folder:
        return system.keyfiles(*(each.read_text("utf-8") for each in by_script(Path(folder), wanted)))


@AS_OFTEN
@given(ALL)
@example(NAMES_TAKEN_FOR_OTHERS)
def test_bookworm_reads_what_is_meant(bookworm: System, wanted: Networks) -> None:
    assert taken(by_firstrun(bookworm, wanted), True) == meant(wanted)


@AS_OFTEN
@given(ALL)
@example(NAMES_TAKEN_FOR_OTHERS)
def test_the_first_trixie_reads_what_is_meant(trixie: System, wanted: Networks) -> None:
    assert taken(by_firstrun(trixie, wanted), True) == meant(wanted)


@AS_OFTEN
@given(ALL)
@example(NAMES_TAKEN_FOR_OTHERS)
def test_trixies_cloud_init_makes_what_is_meant(trixie: System, wanted: Networks) -> None:
    assert taken(by_cloud_init(trixie, wanted), wanted.wired is not None) == meant(wanted)


def test_a_keyfile_is_for_root_alone_and_the_country_is_set(tmp_path: Path) -> None:
    wanted = Networks("DE", (networks.wifi("home", "correct horse"),), STATIC)
    left = by_script(tmp_path, wanted)
    assert [each.name for each in left] == ["wifi-1.nmconnection", "wired.nmconnection"]
    assert {stat.S_IMODE(each.stat().st_mode) for each in left} == {0o600}
    assert (tmp_path / "country").read_text() == "nonint do_wifi_country DE\n"


def test_without_networks_the_script_leaves_them_alone(tmp_path: Path) -> None:
    assert by_script(tmp_path, Networks()) == [] and not (tmp_path / "country").exists()
