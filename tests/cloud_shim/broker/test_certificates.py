"""The fleet's own authority: certificates that boards take, renewed in time, and none that they should not take."""

import datetime
import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509

from cloud_shim.broker import certificates
from cloud_shim.broker.certificates import Certificates

NAMES = ["lamp.local", "192.168.1.10"]


def handshake(files: Certificates, name: str, authority: Path) -> str:
    """The TLS version of a connection to a server with that certificate, by a client that looks for `name`."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.certificate, files.key)
    client = ssl.create_default_context(cafile=str(authority))
    client.minimum_version = ssl.TLSVersion.TLSv1_2
    here, there = socket.socketpair()

    def serve() -> None:
        try:
            server.wrap_socket(there, server_side=True).close()
        except OSError:
            there.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(here, server_hostname=name) as wrapped:
            return wrapped.version() or ""
    finally:
        here.close()
        thread.join()


@pytest.mark.parametrize("name", NAMES)
def test_a_board_takes_it_by_each_of_its_names(tmp_path: Path, name: str) -> None:
    files = certificates.ensure(tmp_path, NAMES)
    assert handshake(files, name, files.authority) == "TLSv1.3"


def test_another_name_is_not_taken(tmp_path: Path) -> None:
    files = certificates.ensure(tmp_path, NAMES)
    with pytest.raises(ssl.SSLCertVerificationError, match="match"):
        handshake(files, "evil.local", files.authority)


def test_the_certificate_of_another_fleet_is_not_taken(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir()
        certificates.ensure(folder, NAMES)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(certificates.where(theirs), NAMES[0], certificates.where(ours).authority)


def test_a_board_that_thinks_it_is_1970_takes_it(tmp_path: Path) -> None:
    files = certificates.ensure(tmp_path, NAMES)
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    for each in (files.authority, files.certificate):
        assert x509.load_pem_x509_certificate(each.read_bytes()).not_valid_before_utc == epoch


def test_it_stays_while_it_is_good_and_the_authority_stays_always(tmp_path: Path) -> None:
    files = certificates.ensure(tmp_path, NAMES)
    authority, before = files.authority.read_bytes(), files.certificate.read_bytes()
    certificates.ensure(tmp_path, list(reversed(NAMES)))
    assert files.certificate.read_bytes() == before
    certificates.ensure(tmp_path, [*NAMES, "more.local"])
    assert files.certificate.read_bytes() != before
    assert files.authority.read_bytes() == authority
    assert handshake(files, "more.local", files.authority)


def test_it_is_made_anew_before_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "_BROKER_DAYS", 100)
    files = certificates.ensure(tmp_path, NAMES)
    monkeypatch.undo()
    soon = certificates.ends(files.certificate)
    certificates.ensure(tmp_path, NAMES)
    assert certificates.ends(files.certificate) > soon + datetime.timedelta(days=365)


def test_a_key_that_is_not_the_certificates_leads_to_a_new_pair(tmp_path: Path) -> None:
    files = certificates.ensure(tmp_path, NAMES)
    other = tmp_path / "other"
    other.mkdir()
    files.key.write_bytes(certificates.ensure(other, NAMES).key.read_bytes())
    certificates.ensure(tmp_path, NAMES)
    assert handshake(files, NAMES[0], files.authority)


def test_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    certificates.ensure(tmp_path, NAMES)
    for name in ("ca.key", "broker.key"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0


def test_a_broker_that_listens_everywhere_is_known_by_each_address() -> None:
    names = certificates.names_of_this_machine("0.0.0.0")
    assert {"localhost", "127.0.0.1", socket.gethostname()} <= set(names)
    assert certificates.names_of_this_machine("192.168.1.10")[0] == "192.168.1.10"


def test_it_is_known_by_its_address_on_the_way_out_though_its_own_name_leads_to_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(certificates, "_addresses", lambda host: [])
    monkeypatch.setattr(certificates, "_own_address", lambda family, there: "192.168.1.10" if "." in there else "")
    names = certificates.names_of_this_machine("0.0.0.0")
    assert "192.168.1.10" in names
    assert "" not in names


def test_the_own_address_on_a_way_is_found_and_none_where_no_way_leads() -> None:
    assert certificates._own_address(socket.AF_INET, "127.0.0.53") == "127.0.0.1"
    assert certificates._own_address(socket.AF_INET, "no address") == ""


def test_a_clock_set_back_makes_no_certificate_that_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = certificates.ends(certificates.ensure(tmp_path, NAMES).certificate)
    # As by a clock eight years back.
    monkeypatch.setattr(certificates, "_BROKER_DAYS", 825 - 8 * 365)
    again = certificates.ensure(tmp_path, [*NAMES, "hall.local"])
    assert certificates.ends(again.certificate) == good
    assert handshake(again, "hall.local", again.authority)
