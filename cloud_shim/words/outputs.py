"""A board's outputs by its own report, in words. Pure."""

from device.protocol.reported import Reported

WORDS = {True: "on", False: "off", None: "unknown"}


def levels(report: Reported | None) -> dict[str, bool | None]:
    """The level of each output held by a function; empty for a board with no report of them."""
    return {pin: each.level for pin, each in ((report and report.outputs) or {}).items()}


def drivers(report: Reported | None) -> dict[str, str]:
    """The function behind each output."""
    return {pin: each.function for pin, each in ((report and report.outputs) or {}).items()}
