"""Where boards are to reach the broker of `lamplight up`, from the words of the command line. It opens no port."""

import ipaddress
from collections.abc import Sequence

from cloud_shim.broker import certificates
from cloud_shim.broker.setup import Listener
from device.config import MQTTS_PORT
from device.errors import UsageError


def parse(text: str, names: Sequence[str]) -> Listener:
    """The listener at `ADDRESS[:PORT]`, an IPv6 address in brackets; UsageError when that is none.

    `names` are more that boards know it by: its certificate is for those and for what this machine calls itself.
    """
    host, port = _split(text)
    try:
        address = str(ipaddress.ip_address(host))
    except ValueError:
        remedy = "an address of this machine, or 0.0.0.0 for all of them; names go to --listen-name"
        raise UsageError(f"{text!r} is no address to listen at", "", remedy) from None
    known = dict.fromkeys([*certificates.names_of_this_machine(address), *names])
    return Listener(address, port, list(known))


def _split(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":") if ":" in text.rpartition("]")[2] else (text, "", "")
    if text.count(":") > 1 and "]" not in text:
        host, colon, port = text, "", ""
    if colon and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise UsageError(f"{port!r} is no port", "it is a number from 1 to 65535", f"--listen {host}:{MQTTS_PORT}")
    return host.strip("[]"), int(port) if colon else MQTTS_PORT
