"""The broker's TLS certificate for boards, and this fleet's authority to sign it, in the shim's own folder.

Boards trust this one authority only. Certificates are valid from 1970 on: a board without a clock starts in the year
1970, and must reach the broker before it can learn the time. The broker is configured elsewhere (setup.py).
"""

import datetime
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cloud_shim.broker.credentials import write_private

_BEGIN = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
# The authority's is on every card: replacing it means visiting every board.
_AUTHORITY_YEARS = 30
_BROKER_DAYS = 825
# The broker's certificate is made anew when fewer are left.
_RENEW_DAYS = 365
# Addresses of documentation (RFC 5737, RFC 3849), free of owners: the way to them is the way out.
_ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
_WILDCARDS = ("0.0.0.0", "::")


@dataclass(frozen=True)
class Certificates:
    """PEM files: the authority's certificate for boards, the broker's certificate, and its key."""

    authority: Path
    certificate: Path
    key: Path


def where(folder: Path) -> Certificates:
    """Their places in the broker's `folder`, before and after they are made."""
    return Certificates(folder / "ca.pem", folder / "broker.pem", folder / "broker.key")


def ensure(folder: Path, names: Sequence[str]) -> Certificates:
    """Make the certificate for `names` unless it is there: the hosts and addresses by which boards reach the broker."""
    files = where(folder)
    if not files.authority.exists():
        _make_authority(files.authority, folder / "ca.key")
    if not _still_good(files, names):
        _make_certificate(files, folder / "ca.key", names)
    return files


def names_of_this_machine(listen: str) -> list[str]:
    """The names by which a board may find a broker at `listen` here: the address, or for a wildcard every one."""
    host = socket.gethostname()
    if listen not in _WILDCARDS:
        return [listen, host, f"{host}.local"]
    found = {str(info[4][0]) for info in _addresses(host)} | _outward()
    return [host, f"{host}.local", "localhost", "127.0.0.1", *sorted(found - {"127.0.0.1"})]


def names_in(certificate: Path) -> list[str]:
    """The hosts and addresses in the certificate of the PEM file, as they are typed."""
    return [str(each.value) for each in _listed(x509.load_pem_x509_certificate(certificate.read_bytes()))]


def ends(certificate: Path) -> datetime.datetime:
    """When the certificate in the PEM file ends."""
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc


def _addresses(host: str) -> Sequence[tuple[object, object, object, object, tuple[object, ...]]]:
    try:
        return socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return []


def _outward() -> set[str]:
    """This machine's own addresses on the ways out: /etc/hosts of many systems knows the host by 127.0.1.1 only."""
    return {address for family, there in _ELSEWHERE if (address := _own_address(family, there))}


def _own_address(family: socket.AddressFamily, there: str) -> str:
    """This machine's address for talking to `there`; "" when no way leads there. The check sends nothing."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((there, 9))
            return str(asking.getsockname()[0]).partition("%")[0]
    except OSError:
        return ""


def _make_authority(certificate: Path, key_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _subject("Lamplight fleet")
    made = (
        _unsigned(subject, subject, key.public_key(), _years(_AUTHORITY_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_private(key_file, _pem_of_key(key))
    write_private(certificate, _pem(made))


def _make_certificate(files: Certificates, authority_key: Path, names: Sequence[str]) -> None:
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    signer = serialization.load_pem_private_key(authority_key.read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey), "made by _make_authority"
    key = ec.generate_private_key(ec.SECP256R1())
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=_BROKER_DAYS)
    if files.certificate.exists():
        # Made by a clock that was right once: one set back must not make a certificate that has ended.
        until = min(max(until, ends(files.certificate)), authority.not_valid_after_utc)
    made = (
        _unsigned(_subject("Lamplight broker"), authority.subject, key.public_key(), until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_name(each) for each in names]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    # The key last. The broker is started afterwards, so it never reads a certificate with another one's key.
    write_private(files.certificate, _pem(made))
    write_private(files.key, _pem_of_key(key))


def _still_good(files: Certificates, names: Sequence[str]) -> bool:
    """Whether the broker's certificate is whole, for exactly these names, of this authority, and for long enough."""
    if not (files.certificate.exists() and files.key.exists()):
        return False
    made = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    left = made.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    return (
        set(_listed(made)) == {_name(each) for each in names}
        and left > datetime.timedelta(days=_RENEW_DAYS)
        and key.public_key() == made.public_key()
        and _is_signed_by(made, authority)
    )


def _listed(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def _is_signed_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except Exception:
        return False
    return True


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, until: datetime.datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return builder.serial_number(x509.random_serial_number()).not_valid_before(_BEGIN).not_valid_after(until)


def _usage(signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _years(count: int) -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=365 * count)


def _subject(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _pem_of_key(key: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
