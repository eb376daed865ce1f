"""The requests of a function that need the operator's permission. Pure; leases of hardware are hal's."""

from collections.abc import Iterable

from device.errors import RejectedError
from device.protocol.manifest import FunctionManifest


def check(functions: Iterable[FunctionManifest], network: bool) -> None:
    """Raise RejectedError when one asks for the network and `network` is false."""
    asking = sorted(function.name for function in functions if function.network)
    if asking and not network:
        raise RejectedError(
            f"{', '.join(asking)} may not use the network",
            "function.toml has network = true, and this board's operator does not allow it",
            "set network = true under [confinement] in the board's agent.toml, or do without in function.toml",
        )
