"""A file of networks, `networks.toml`: several of them, their accounts and addresses. It holds secrets.

Reads and checks it, and the certificates that it names. Nothing in it is shown but names and addresses.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from device.artifact import toml_hints
from device.errors import UsageError
from device.protocol.errors import ProtocolError
from device.protocol.fields import flag, integer, items, only, table, text
from flashing import networks
from flashing.networks import ENTERPRISE, OPEN, PRIORITY, TRANSITION, WPA2, WPA3, Account, Address, Networks, Wifi
from flashing.secrets import private_text

_WHERE = "networks.toml"
_ADDRESS = ("address", "gateway", "dns")
_ACCOUNT = ("identity", "anonymous", "domain", "ca")
_KINDS = (WPA2, TRANSITION, WPA3, OPEN, ENTERPRISE)
_SYSTEM = "system"
# Those that Raspberry Pi OS itself trusts.
_SYSTEMS_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
_HEAD = re.compile(r"\s*\[\[\s*[\"']?wifi[\"']?\s*\]\]")
_PAGE = "docs/flashing.md has the keys"


@dataclass(frozen=True)
class _Certificate:
    """The text of a certificate, and the name of its file on the boot partition."""

    name: str
    pem: str


def read(file: Path, mounted: str) -> Networks:
    """The networks in `file`; the boot partition, with its certificates, is to be at `mounted` on the board.

    Raises UsageError for a mistake in it or in a certificate, NotFoundError when there is no such file.
    """
    content = private_text(file)
    try:
        found = _networks(_File(file, content, mounted), tomllib.loads(content))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{file} is no TOML", str(error), "a text stands in quotation marks") from None
    except ProtocolError as error:
        raise UsageError(f"{file} cannot be used", toml_hints.told(error, content), _PAGE) from None
    except UsageError as error:
        raise UsageError(f"{file}: {error.what}", error.why, error.remedy) from None
    if not found.wifi and found.wired is None:
        raise UsageError(f"{file} names no network", "it has neither [[wifi]] nor [wired]", _PAGE)
    return found


class _File:
    """The file as it is read: where it lies, its text, and the certificates found so far."""

    def __init__(self, path: Path, content: str, mounted: str) -> None:
        self.path, self.content, self._mounted = path, content, mounted
        self.certificates: dict[Path, _Certificate] = {}

    def authority(self, named: str) -> str:
        """Where the certificate `named` will be on the board."""
        if named == _SYSTEM:
            return _SYSTEMS_AUTHORITIES
        path = self._beside(named)
        if path not in self.certificates:
            name = f"wifi-authority-{len(self.certificates) + 1}.pem"
            self.certificates[path] = _Certificate(name, _pem(path))
        return f"{self._mounted}/{self.certificates[path].name}"

    def _beside(self, named: str) -> Path:
        try:
            return (self.path.parent / Path(named).expanduser()).resolve()
        except (OSError, ValueError, RuntimeError) as error:
            raise UsageError(f"The certificate {named!r} cannot be read", str(error)) from None

    def lines_of(self, number: int) -> str:
        """The text with nothing but the lines of the `number`th [[wifi]], each at its place."""
        lines = self.content.splitlines()
        heads = [at for at, line in enumerate(lines) if _HEAD.match(line)]
        if number > len(heads):
            return self.content
        first, last = heads[number - 1], [*heads, len(lines)][number]
        return "\n" * first + "\n".join(lines[first:last])


def _networks(file: _File, told: dict[str, object]) -> Networks:
    only(told, ("country", "wifi", "wired"), _WHERE)
    if isinstance(told.get("wifi"), dict):
        raise ProtocolError(f"{_WHERE}.wifi: each network is a table of its own, below [[wifi]] and not [wifi]")
    wifi = [_numbered(file, *each) for each in enumerate(items(told.get("wifi", []), f"{_WHERE}.wifi"), 1)]
    _refuse_twins(wifi)
    code = text(told, "country", _WHERE, "")
    if wifi and not code:
        raise UsageError("the country is missing", "the radio keeps its rules", 'country = "DE", in the first line')
    wired = _wired(table(told["wired"], f"{_WHERE}.wired")) if "wired" in told else None
    files = {each.name: each.pem for each in file.certificates.values()}
    return Networks(networks.country(code) if code else "", tuple(wifi), wired, files)


def _numbered(file: _File, number: int, value: object) -> Wifi:
    """The `number`th network of the file; its mistakes are told with its place."""
    lines = file.lines_of(number)
    line = len(lines) - len(lines.lstrip("\n")) + 1
    try:
        return _wifi(file, table(value, f"{_WHERE}.wifi"))
    except ProtocolError as error:
        what, why, remedy = "it cannot be used", toml_hints.told(error, lines), _PAGE
    except UsageError as error:
        what, why, remedy = error.what, error.why, error.remedy
    raise UsageError(f"network {number} (line {line}): {what}", why, remedy)


def _wifi(file: _File, told: dict[str, object]) -> Wifi:
    where = f"{_WHERE}.wifi"
    only(told, ("ssid", "password", "security", "hidden", "priority", *_ACCOUNT, *_ADDRESS), where)
    security = text(told, "security", where, TRANSITION)
    if security not in _KINDS:
        raise ProtocolError(f"{where}.security: {security!r} is unknown; known are {', '.join(_KINDS)}")
    ssid, hidden = text(told, "ssid", where), flag(told, "hidden", where, False)
    if security == ENTERPRISE:
        joined = networks.enterprise(ssid, text(told, "password", where), _account(file, told, where), hidden)
    else:
        _refuse_account(told, where)
        joined = networks.wifi(ssid, _password(told, security, where), security, hidden)
    priority = integer(told, "priority", where, -PRIORITY, PRIORITY, 0)
    return replace(joined, priority=priority, address=_address(told, where))


def _password(told: dict[str, object], security: str, where: str) -> str:
    if security != OPEN:
        return text(told, "password", where)
    if "password" in told:
        raise ProtocolError(f"{where}.password: an open network has none; take it or security away")
    return ""


def _refuse_account(told: Mapping[str, object], where: str) -> None:
    for key in _ACCOUNT:
        if key in told:
            raise ProtocolError(f'{where}.{key}: only a network with security = "{ENTERPRISE}" has it')


def _account(file: _File, told: dict[str, object], where: str) -> Account:
    domain = text(told, "domain", where, "")
    if "identity" not in told:
        raise UsageError(
            "The identity is missing", "an enterprise's network asks who comes", 'identity = "me@example.org"'
        )
    if "ca" not in told:
        why = "any access point of that name would be given the password"
        raise UsageError("The authority's certificate is missing", why, 'ca = "authority.pem", beside this file')
    named = text(told, "ca", where)
    if named == _SYSTEM and not domain:
        why = "the system trusts many authorities, and each signs for anybody"
        raise UsageError("The server's domain is missing", why, 'domain = "radius.example.org"')
    return Account(text(told, "identity", where), text(told, "anonymous", where, ""), domain, file.authority(named))


def _wired(told: dict[str, object]) -> Address:
    where = f"{_WHERE}.wired"
    only(told, _ADDRESS, where)
    found = _address(told, where)
    if found is None:
        raise ProtocolError(f"{where}: has no address; without [wired] the network gives one")
    return found


def _address(told: dict[str, object], where: str) -> Address | None:
    if "address" not in told:
        for key in ("gateway", "dns"):
            if key in told:
                raise ProtocolError(f"{where}.{key}: goes with an address, and there is none")
        return None
    servers = [text({"dns": each}, "dns", where) for each in items(told.get("dns", []), f"{where}.dns")]
    return networks.address(text(told, "address", where), text(told, "gateway", where, ""), tuple(servers))


def _refuse_twins(wifi: list[Wifi]) -> None:
    names = [each.ssid for each in wifi]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"The network {name!r} is there twice", "", "a table for each name")


def _pem(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"The certificate {path} cannot be read", error.strerror or str(error)) from None
    if b"PRIVATE KEY" in content:
        raise UsageError(
            f"{path} has a private key in it", "it stays with its owner", "a file with the certificate alone"
        )
    try:
        found = x509.load_pem_x509_certificates(content)
    except ValueError:
        remedy = "of a DER file, `openssl x509 -inform der -in FILE -out ca.pem` makes one"
        raise UsageError(f"{path} is no certificate", "it is not in the form called PEM", remedy) from None
    ended = [each.not_valid_after_utc for each in found if each.not_valid_after_utc < datetime.now(UTC)]
    if len(ended) == len(found):
        raise UsageError(f"The certificate {path} ended on {max(ended):%Y-%m-%d}", "no server would be believed by it")
    return "".join(each.public_bytes(serialization.Encoding.PEM).decode() for each in found)
