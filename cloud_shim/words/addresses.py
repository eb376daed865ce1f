"""The address of a broker, as people type it: `HOST` or `HOST:PORT`, an IPv6 address in brackets.

Names are left for others to resolve.
"""

import ipaddress
import re

from device.errors import UsageError

# A label of a host's name, RFC 1123 2.1; underscores, outside of the RFC, are met in practice.
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)", re.ASCII)


def split(text: str) -> tuple[str, int]:
    """The host, and the port, 0 when only a host was typed; UsageError for a bad port.

    An address has its usual form; any other text is the host as typed, good or not.
    """
    host, colon, port = text.rpartition(":") if ":" in text.rpartition("]")[2] else (text, "", "")
    if text.count(":") > 1 and "]" not in text:
        host, colon, port = text, "", ""
    if colon and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise UsageError(f"{port!r} is no port", "it is a number from 1 to 65535", "HOST:PORT")
    host = host.removeprefix("[").removesuffix("]")
    return str(ipaddress.ip_address(host)) if is_address(host) else host, int(port) if colon else 0


def is_host(text: str) -> bool:
    """Whether it can be a host's name, as it stands in DNS and certificates, or is an address."""
    if is_address(text):
        return True
    labels = text.split(".")
    return len(text) <= 253 and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()


def is_address(text: str) -> bool:
    """Whether it is an IP address."""
    try:
        return "%" not in text and bool(ipaddress.ip_address(text))
    except ValueError:
        return False
