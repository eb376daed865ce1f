"""The board's serial number, as its maker wrote it. Only for a person to compare: it proves nothing."""

from pathlib import Path

# Of boards with a device tree (Devicetree specification, "serial-number"), and of PCs (SMBIOS, for root only).
_SOURCES = ("proc/device-tree/serial-number", "sys/class/dmi/id/product_serial")
_MOST = 64


def read(root: Path = Path("/")) -> str:
    """Its printable part, at most 64 characters; "" when the board has none."""
    for source in _SOURCES:
        try:
            told = (root / source).read_bytes()[:_MOST].decode("ascii", "replace")
        except OSError:
            continue
        if serial := "".join(each for each in told if " " < each <= "~"):
            return serial
    return ""
