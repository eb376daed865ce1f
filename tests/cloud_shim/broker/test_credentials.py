"""Passwords and their hashes."""

import stat

import pytest

from cloud_shim.broker import credentials
from device.enrol.secret import hash_password


def test_a_hash_matches_its_password_only():
    hashed = hash_password("secret")
    assert credentials.matches("secret", hashed)
    assert not credentials.matches("Secret", hashed)
    assert hashed != hash_password("secret")


@pytest.mark.parametrize("hashed", ["", "secret", "$6$a$b", "$7$x$eA==$eA==", "$7$101$?$eA==", "$7$101$eA==$eA==$"])
def test_a_damaged_hash_lets_nobody_in(hashed):
    assert not credentials.matches("", hashed)
    assert not credentials.matches("secret", hashed)


def test_the_password_file_is_private_and_replaced_as_a_whole(tmp_path):
    path = tmp_path / "passwords"
    credentials.write(path, {"pi": "one"})
    credentials.write(path, {"tv": "two"})
    assert credentials.read(path) == {"tv": "two"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["passwords"]
