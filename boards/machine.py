"""A board file's account of the machine itself: `[machine]`, `[header]` and `[flash]`, read and checked.

It reads the file alone, whatever machine it runs on. Making a card is the work of `flashing`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from device.protocol.errors import ProtocolError
from device.protocol.fields import integer, items, only, text

ARCHITECTURES = ("any", "aarch64", "armv7l", "x86_64")
METHODS = ("card", "none")
# MiB.
LEAST_MEMORY, MOST_MEMORY = 64, 1024 * 1024
HEADER_PINS = 46
# PEP 600: a wheel's oldest glibc, and the architecture.
_WHEELS = re.compile(r"manylinux_2_\d{1,3}_(\w+)", re.ASCII)
_LABEL = re.compile(r"[A-Za-z0-9_.+-]{1,8}", re.ASCII)
_USB = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}", re.ASCII)
_DETECTED = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)

# A pin of the header: its number, from 1, or the name printed beside it.
HeaderPin = int | str


@dataclass(frozen=True)
class Machine:
    """The hardware of a board.

    `detect` is its name in adafruit_platformdetect ("" for a board with unused pins), `select` the environment variable
    to make Blinka look for it on USB ("" for none). `wheels` is the platform tag of the packages pip may install on it,
    PEP 600 ("" when pip installs none for it from afar). `memory` is in MiB, the least of such a board. `led` is its
    own light, as in /sys/class/leds ("" for none). `usb` is the vendor's and product's number of an adapter, as lsusb
    shows it ("" for none).
    """

    detect: str
    select: str
    architecture: str
    wheels: str
    memory: int
    led: str
    usb: str


@dataclass(frozen=True)
class Header:
    """Where wires go: `pins` in two columns, or 0 for labels beside the pads; where 3.3 V and ground are."""

    name: str
    pins: int
    power: HeaderPin
    ground: HeaderPin


@dataclass(frozen=True)
class Flash:
    """How the system gets on it: "card", or "none". `files` are on the boot partition of a fitting image."""

    method: str
    files: Sequence[str]


def machine(fields: dict[str, object], where: str) -> Machine:
    """The table `[machine]`; raises ProtocolError naming the key."""
    only(fields, ("detect", "select", "architecture", "wheels", "memory", "led", "usb"), where)
    architecture = _one_of(fields, "architecture", where, ARCHITECTURES)
    return Machine(
        detect=_matching(fields, "detect", where, _DETECTED, "RASPBERRY_PI_4B"),
        select=_matching(fields, "select", where, _DETECTED, "BLINKA_MCP2221"),
        architecture=architecture,
        wheels=_wheels(fields, where, architecture),
        memory=integer(fields, "memory", where, LEAST_MEMORY, MOST_MEMORY),
        led=text(fields, "led", where, ""),
        usb=_matching(fields, "usb", where, _USB, "04d8:00dd"),
    )


def header(fields: dict[str, object], where: str) -> Header:
    """The table `[header]`; raises ProtocolError naming the key."""
    only(fields, ("name", "pins", "power", "ground"), where)
    pins = integer(fields, "pins", where, 0, HEADER_PINS, 0)
    power, ground = header_pin(fields, "power", where), header_pin(fields, "ground", where)
    return Header(text(fields, "name", where, ""), pins, power, ground)


def flash(fields: dict[str, object], where: str) -> Flash:
    """The table `[flash]`; raises ProtocolError naming the key."""
    only(fields, ("method", "files"), where)
    return Flash(_one_of(fields, "method", where, METHODS), texts(fields, "files", where))


def header_pin(fields: dict[str, object], key: str, where: str) -> HeaderPin:
    """A pin of the header: a number from 1, or a label of at most eight characters."""
    value = fields.get(key)
    if value == "":
        raise ProtocolError(f"{where}.{key}: the label is empty")
    if isinstance(value, str):
        return _matching(fields, key, where, _LABEL, "SDA")
    return integer(fields, key, where, 1, HEADER_PINS)


def texts(fields: dict[str, object], key: str, where: str) -> tuple[str, ...]:
    """A list of strings, empty when absent."""
    given = items(fields.get(key, []), f"{where}.{key}")
    return tuple(text({key: each}, key, where) for each in given)


def _one_of(fields: dict[str, object], key: str, where: str, known: Sequence[str]) -> str:
    value = text(fields, key, where)
    if value not in known:
        raise ProtocolError(f"{where}.{key}: {value!r} is none of {', '.join(known)}")
    return value


def _matching(fields: dict[str, object], key: str, where: str, form: re.Pattern[str], example: str) -> str:
    value = text(fields, key, where, "")
    if value and not form.fullmatch(value):
        raise ProtocolError(f"{where}.{key}: {value!r} is not of the form {example!r}")
    return value


def _wheels(fields: dict[str, object], where: str, architecture: str) -> str:
    value = _matching(fields, "wheels", where, _WHEELS, "manylinux_2_36_aarch64")
    if value and not value.endswith(f"_{architecture}"):
        raise ProtocolError(f"{where}.wheels: {value!r} is not for the architecture {architecture!r}")
    return value
