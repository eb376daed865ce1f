"""networks.toml as people write it: what is made of it, and every mistake told with its place."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from device.errors import NotFoundError, UsageError
from flashing import networks
from flashing.networks import Account, Networks, file

SECRET = "correct horse"
HOME = f'country = "DE"\n\n[[wifi]]\nssid = "home"\npassword = "{SECRET}"\n'
WORK = f"""
[[wifi]]
ssid = "work"
security = "enterprise"
identity = "me@work.example"
password = "{SECRET}"
ca = "ca.pem"
"""


def certificate(days: int = 10) -> bytes:
    """An authority's own, PEM; it ends after so many days."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=Authority")
    made, now = x509.CertificateBuilder().subject_name(name).issuer_name(name), datetime.now(UTC)
    made = made.public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(now - timedelta(days=99)).not_valid_after(now + timedelta(days=days))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def read(folder: Path, text: str) -> Networks:
    path = folder / "networks.toml"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return file.read(path, "/boot/firmware")


def refused(folder: Path, text: str) -> str:
    with pytest.raises(UsageError) as caught:
        read(folder, text)
    told = str(caught.value)
    assert SECRET not in told and str(folder) in told and caught.value.exit_code == 2
    return told


def test_all_that_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(b"A comment\xff\n" + certificate())
    text = HOME.replace("[[wifi]]", '[wired]\naddress = "10.0.0.7/8"\n\n[[wifi]]')
    text += 'security = "transition"\nhidden = true\npriority = 10\naddress = "192.168.1.50/24"\n'
    text += 'gateway = "192.168.1.1"\ndns = ["192.168.1.1", "9.9.9.9"]\n'
    text += WORK + 'anonymous = "anonymous@work.example"\ndomain = "radius.work.example"\npriority = -1\n'
    text += '\n[[wifi]]\nssid = "guests"\nsecurity = "open"\n'
    found = read(tmp_path, text)
    home, work, guests = found.wifi
    assert (found.country, found.wired) == ("DE", networks.address("10.0.0.7/8"))
    assert (home.security, home.key, home.hidden, home.priority) == ("transition", SECRET, True, 10)
    assert home.address == networks.address("192.168.1.50/24", "192.168.1.1", ("192.168.1.1", "9.9.9.9"))
    where = "/boot/firmware/wifi-authority-1.pem"
    assert work.account == Account("me@work.example", "anonymous@work.example", "radius.work.example", where)
    assert (work.key, work.priority, guests.security, guests.address) == (SECRET, -1, "open", None)
    assert found.files["wifi-authority-1.pem"].startswith("-----BEGIN CERTIFICATE-----\n")


def test_networks_with_one_authority_share_its_file(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(certificate())
    (tmp_path / "other.pem").write_bytes(certificate())
    third = WORK.replace("work", "lab").replace("ca.pem", "other.pem")
    found = read(tmp_path, HOME + WORK + WORK.replace("work", "annex") + third)
    told = [each.account.authority[-5:] for each in found.wifi if each.account]
    assert told == ["1.pem", "1.pem", "2.pem"] and len(found.files) == 2


def test_the_systems_own_authorities_go_with_a_domain(tmp_path: Path) -> None:
    text = HOME + WORK.replace("ca.pem", "system")
    assert "domain" in refused(tmp_path, text)
    found = read(tmp_path, text + 'domain = "radius.work.example"\n')
    assert found.files == {} and found.wifi[1].account is not None
    assert found.wifi[1].account.authority == "/etc/ssl/certs/ca-certificates.crt"


def test_a_cable_alone_needs_no_country(tmp_path: Path) -> None:
    assert read(tmp_path, '[wired]\naddress = "10.0.0.7/8"\n').wifi == ()


def test_the_pages_example_is_taken(tmp_path: Path) -> None:
    (tmp_path / "uni-ca.pem").write_bytes(certificate())
    page = (Path(__file__).parents[3] / "docs/flashing.md").read_text("utf-8")
    found = read(tmp_path, page.split("```toml\n")[1].split("```")[0])
    assert [each.ssid for each in found.wifi] == ["home", "eduroam", "workshop"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["names no network"]),
        ("country = DE", ["no TOML", "line 1"]),
        (HOME + "pasword = 'x'\n", ["Did you mean 'password'?", "line 6"]),
        (HOME + "[[wfii]]\n", ["Did you mean 'wifi'?", "line 6"]),
        (HOME.replace("[[wifi]]", "[wifi]"), ["[[wifi]]", "line 3"]),
        (HOME.replace("[[wifi]]", "[[wifi]]\ntimeout = 3"), ["unknown key 'timeout'", "line 4"]),
        (HOME + "priority = 'high'\n", ["expected a whole number", "line 6"]),
        (HOME + "priority = 1000\n", ["1000 is not between -999 and 999", "line 6"]),
        (HOME + "priority = true\n", ["expected a whole number"]),
        (HOME + "security = 'wpa'\n", ["'wpa' is unknown", "Did you mean 'wpa", "line 6"]),
        (HOME + "security = 'open'\n", ["an open network has none", "line 5"]),
        (HOME + "hidden = 'yes'\n", ["expected true or false"]),
        (HOME + "identity = 'me'\n", ['security = "enterprise"', "line 6"]),
        (HOME + "address = '192.168.1.50'\n", ["network 1 (line 3)", "192.168.1.50/24"]),
        (HOME + "address = '192.168.1.50/24'\ngateway = '192.168.2.1'\n", ["out of the board's reach"]),
        (HOME + "gateway = '192.168.1.1'\n", ["goes with an address", "line 6"]),
        (HOME + "dns = '9.9.9.9'\n", ["goes with an address"]),
        (HOME + "address = '10.0.0.1/8'\ndns = '9.9.9.9'\n", ["expected a list", "line 7"]),
        (HOME + "address = '10.0.0.1/8'\ndns = [9]\n", ["expected a string"]),
        (HOME + "\n[[wifi]]\nssid = 'home'\nsecurity = 'open'\n", ["'home' is there twice"]),
        (HOME + "\n[[wifi]]\nssid = 'guests'\npriority = 'x'\nsecurity = 'open'\n", ["line 9"]),
        (HOME + "\n[[wifi]]\nssid = 'guests'\n", ["password", "found nothing"]),
        (
            HOME + "\n[[wifi]]\nssid = 'guests'\npassword = '1234567'\n",
            ["network 2 (line 7)", "7 characters"],
        ),
        (HOME.replace('ssid = "home"', ""), ["networks.toml.wifi.ssid"]),
        (HOME.replace('"home"', "7"), ["networks.toml.wifi.ssid: expected a string"]),
        (HOME.replace('country = "DE"', ""), ["country is missing"]),
        (HOME.replace('"DE"', '"Germany"'), ["'Germany' is no country"]),
        (HOME.replace('"DE"', "49"), ["networks.toml.country", "line 1"]),
        ("wifi = 'home'", ["expected a list"]),
        ("wifi = ['home']", ["expected a table"]),
        ("[wired]\n", ["has no address"]),
        ("[wired]\nadress = '10.0.0.7/8'\n", ["Did you mean 'address'?", "line 2"]),
        ("[wired]\naddress = '10.0.0.7'\n", ["10.0.0.7/24"]),
        ("wired = 3", ["expected a table"]),
        (HOME + WORK.replace('identity = "me@work.example"\n', ""), ["The identity is missing", "network 2 (line 7)"]),
        (HOME + WORK.replace('ca = "ca.pem"\n', ""), ["authority's certificate is missing", "access point"]),
        (HOME + WORK, ["ca.pem cannot be read", "No such file"]),
        (HOME + WORK.replace("ca.pem", "."), ["cannot be read"]),
        (HOME + WORK.replace('"ca.pem"', "3"), ["networks.toml.wifi.ca: expected a string", "line 12"]),
        (HOME + WORK.replace("ca.pem", "nul\\u0000"), ["cannot be read"]),
    ],
)
def test_a_mistake_is_told_with_its_place_and_without_secrets(tmp_path: Path, text: str, words: list[str]) -> None:
    told = refused(tmp_path, text)
    assert all(each in told for each in words), told


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no certificate"),
        (b"\x30\x82\x01\x00", "openssl x509 -inform der"),
        (b"<html>", "is no certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "is no certificate"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "a private key"),
        (certificate(-1), "ended on"),
    ],
)
def test_a_file_that_is_no_authoritys_certificate(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "ca.pem").write_bytes(content)
    assert words in refused(tmp_path, HOME + WORK)


def test_others_may_not_read_it(tmp_path: Path) -> None:
    path = tmp_path / "networks.toml"
    path.write_text(HOME)
    path.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        file.read(path, "/boot/firmware")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="cannot be read"):
        file.read(tmp_path / "networks.toml", "/boot/firmware")
