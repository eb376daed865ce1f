"""What nobody else may read: where it comes from, and every careless way refused."""

import io
from pathlib import Path

import pytest

from device.errors import NotFoundError, UsageError
from flashing import secrets


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "wifi"
    file.write_text("password\n")
    file.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        secrets.secret_file(file)
    file.chmod(0o600)
    assert secrets.wifi_password(file) == "password"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_secret_from_an_editor_of_windows_is_taken(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "wifi"
    file.write_bytes("pässword\r\n".encode(encoding))
    file.chmod(0o600)
    assert secrets.secret_file(file) == "pässword"


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
