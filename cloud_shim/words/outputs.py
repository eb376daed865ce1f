"""What a board says of its outputs, in words. Pure."""

from device.protocol.reported import Reported

WORDS = {True: "on", False: "off", None: "unknown"}


def levels(report: Reported | None) -> dict[str, bool | None]:
    """The level of each output that a function holds; empty for a board that tells none."""
    return {pin: each.level for pin, each in ((report and report.outputs) or {}).items()}


def drivers(report: Reported | None) -> dict[str, str]:
    """The function that holds each of them."""
    return {pin: each.function for pin, each in ((report and report.outputs) or {}).items()}
