"""Secrets: Wi-Fi passwords and the device's own. They come from a prompt, a file or the environment.

They never come from the command line, for every user of the machine sees it. Nothing is written here.
"""

import hashlib
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

import click

from device.errors import NotFoundError, UsageError

VARIABLE = "LAMPLIGHT_WIFI_PASSWORD"
# How a network lets somebody in: WPA2 also where WPA3 is offered beside it.
WPA2, WPA3, OPEN = "wpa2", "wpa3", "open"
_HEX = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


@dataclass(frozen=True)
class Wifi:
    """A network, with an ISO 3166-1 code as its `country`; a `hidden` one keeps its name to itself.

    `key` is for WPA2 the 256-bit pre-shared key as hexadecimal digits, for WPA3 the password itself, because its
    handshake (SAE) takes that, and "" for an open network.
    """

    ssid: str
    key: str = field(repr=False)
    country: str
    security: str = WPA2
    hidden: bool = False


def wifi(ssid: str, password: str, country: str, security: str = WPA2, hidden: bool = False) -> Wifi:
    """The network `ssid`; for WPA2 its key is made of the password as IEEE 802.11 does (annex J.4).

    `password` is "" for an open network. Raises UsageError.
    """
    if not ssid.isprintable() or not 1 <= len(ssid.encode()) <= 32:
        raise UsageError("That is no name of a Wi-Fi network", "it has 1 to 32 bytes of UTF-8 that can be printed")
    if not _COUNTRY.fullmatch(country):
        raise UsageError(f"{country!r} is no country", "", "two capital letters, such as --wifi-country DE")
    if security == OPEN:
        return Wifi(ssid, "", country, OPEN, hidden)
    if security == WPA3:
        return Wifi(ssid, _sae_password(password), country, WPA3, hidden)
    return Wifi(ssid, _psk(ssid, password), country, WPA2, hidden)


def _sae_password(password: str) -> str:
    if not (password.isprintable() and 1 <= len(password.encode()) <= 63):
        raise UsageError("The Wi-Fi password cannot be right", "WPA3 takes 1 to 63 bytes that can be printed")
    return password


def _psk(ssid: str, password: str) -> str:
    if _HEX.fullmatch(password):
        return password.lower()
    if not (8 <= len(password) <= 63 and all(" " <= each <= "~" for each in password)):
        raise UsageError(
            "The Wi-Fi password cannot be right",
            f"it has {len(password)} characters; WPA takes 8 to 63 of ASCII, or 64 hexadecimal digits",
        )
    return hashlib.pbkdf2_hmac("sha1", password.encode(), ssid.encode(), 4096, 32).hex()


def wifi_password(file: Path | None) -> str:
    """The password in `file`, else in the environment, else asked for. Raises UsageError or NotFoundError."""
    if file is not None:
        return secret_file(file)
    given = os.environ.get(VARIABLE)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise UsageError(
            "The Wi-Fi password is missing", "nobody is there to ask", f"--wifi-password-file FILE, or {VARIABLE}"
        )
    return click.prompt("Wi-Fi password", hide_input=True, err=True)


def secret_file(file: Path) -> str:
    """The text of `file` without its line end; refuses a file readable by others. NotFoundError when it is missing."""
    try:
        mode, text = file.stat().st_mode, file.read_text("utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise NotFoundError(f"{file} cannot be read", str(error)) from None
    if mode & 0o077:
        raise UsageError(f"Others may read {file}", "it holds a secret", f"chmod 600 {file}")
    return text


def public_key(file: Path) -> str:
    """The SSH key in `file`, one line; raises UsageError for anything else, such as the private half of one."""
    try:
        text = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotFoundError(f"{file} cannot be read", str(error)) from None
    if "PRIVATE KEY" in text:
        raise UsageError(f"{file} is a private key", "it stays with you", f"--ssh-key {file}.pub")
    if "\n" in text or not re.match(r"(ssh-|ecdsa-|sk-)[\w@.-]+ [A-Za-z0-9+/=]+( |$)", text) or "'" in text:
        raise UsageError(f"{file} is no public SSH key", "", "ssh-keygen makes one, with a name that ends with .pub")
    return text
