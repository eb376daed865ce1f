"""Secrets: Wi-Fi passwords and the device's own. They come from a prompt, a file or the environment.

They never come from the command line, for every user of the machine sees it. Nothing is written here.
"""

import os
import re
import sys
from pathlib import Path

import click

from device import texts
from device.errors import NotFoundError, UsageError

VARIABLE = "LAMPLIGHT_WIFI_PASSWORD"


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
    """The text of `file` without its line end; raises as `private_text`."""
    return private_text(file).strip("\r\n")


def private_text(file: Path) -> str:
    """The text of `file`; refuses a file readable by others. NotFoundError when it is missing."""
    try:
        mode, text = file.stat().st_mode, texts.read(file)
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
