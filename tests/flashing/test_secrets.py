"""What nobody else may read: keys made as the standard says, and every careless way refused."""

import io
from pathlib import Path

import pytest

from device.errors import NotFoundError, UsageError
from flashing import secrets


def test_the_key_is_that_of_the_standards_own_example() -> None:
    # IEEE 802.11i, annex H.4.1.
    key = secrets.wifi("IEEE", "password", "US").key
    assert key == "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"


def test_a_key_is_taken_as_it_is() -> None:
    assert secrets.wifi("home", "AB" * 32, "DE").key == "ab" * 32


def test_wpa3_takes_the_password_itself_and_an_open_network_none() -> None:
    assert secrets.wifi("home", "short", "DE", secrets.WPA3).key == "short"
    assert secrets.wifi("guests", "", "DE", secrets.OPEN, hidden=True).key == ""


@pytest.mark.parametrize("password", ["", "x" * 64, "two\nlines", "ü" * 32])
def test_a_password_that_no_wpa3_network_has(password: str) -> None:
    with pytest.raises(UsageError, match="password cannot be right"):
        secrets.wifi("home", password, "DE", secrets.WPA3)


@pytest.mark.parametrize("password", ["", "short", "x" * 64, "pässword!", "tab\tinside"])
def test_a_password_that_no_network_has(password: str) -> None:
    with pytest.raises(UsageError) as caught:
        secrets.wifi("home", password, "DE")
    assert not password or password not in str(caught.value)


@pytest.mark.parametrize("ssid", ["", "x" * 33, "ü" * 17, "two\nlines", "nul\0", "line\u2028", "\udcff"])
def test_a_name_that_no_network_has(ssid: str) -> None:
    with pytest.raises(UsageError, match="no name of a Wi-Fi"):
        secrets.wifi(ssid, "password", "DE")


@pytest.mark.parametrize("country", ["", "de", "DEU", "D'", "Germany"])
def test_a_country_that_is_none(country: str) -> None:
    with pytest.raises(UsageError, match="no country"):
        secrets.wifi("home", "password", country)


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "wifi"
    file.write_text("password\n")
    file.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        secrets.secret_file(file)
    file.chmod(0o600)
    assert secrets.wifi_password(file) == "password"


def test_the_password_comes_from_the_environment_when_no_file_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(secrets.VARIABLE, "from the environment")
    assert secrets.wifi_password(None) == "from the environment"


def test_without_a_terminal_a_missing_password_is_asked_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(secrets.VARIABLE, raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    with pytest.raises(UsageError, match="--wifi-password-file"):
        secrets.wifi_password(None)


def test_a_secret_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        secrets.secret_file(tmp_path / "none")


def test_a_private_key_is_not_put_on_a_card(tmp_path: Path) -> None:
    key = tmp_path / "id"
    key.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n")
    with pytest.raises(UsageError, match="private key") as caught:
        secrets.public_key(key)
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "hello", "ssh-rsa", "ssh-ed25519 AAAA a\nssh-ed25519 BBBB b", "ssh-rsa AA 'x"])
def test_a_file_that_is_no_public_key(tmp_path: Path, text: str) -> None:
    (tmp_path / "key.pub").write_text(text)
    with pytest.raises(UsageError, match="no public SSH key"):
        secrets.public_key(tmp_path / "key.pub")
