"""The broker's listener for boards, from the words of the command line of `lamplight up`. It opens no port."""

from collections.abc import Sequence

from cloud_shim.broker import certificates
from cloud_shim.broker.setup import Listener
from cloud_shim.words import addresses
from device.config import MQTTS_PORT
from device.errors import UsageError


def parse(text: str, names: Sequence[str]) -> Listener:
    """The listener at `ADDRESS[:PORT]`, an IPv6 address in brackets; UsageError for anything else.

    Boards know it by `names` too: its certificate is for them and for this machine's own names.
    """
    host, port = addresses.split(text)
    if not addresses.is_address(host):
        remedy = "an address of this machine, or 0.0.0.0 for all of them; names go to --listen-name"
        raise UsageError(f"{text!r} is no address to listen at", "", remedy)
    for name in names:
        if not addresses.is_host(name):
            raise UsageError(f"{name!r} is no name of a machine", "boards look for it", "--listen-name lamp.local")
    known = dict.fromkeys([*certificates.names_of_this_machine(host), *names])
    return Listener(host, port or MQTTS_PORT, list(known))
