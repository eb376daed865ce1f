"""The entry of the installed commands, and their error when a package they need was left out.

It imports only the standard library until the rest is known to be there.
"""

import json
import sys
from importlib import metadata
from urllib.parse import unquote, urlsplit

from device.errors import LamplightError, NotFoundError

# By module, its extra in pyproject.toml; all others come with `shim`.
_EXTRAS = {"pyfatfs": "flash", "pkg_resources": "flash", "onnxruntime": "ai", "numpy": "ai"}
_OURS = ("boards", "cloud_shim", "device", "flashing", "lamplight")
_EXIT = 3


def lamplight() -> None:
    """The command `lamplight`."""
    try:
        from cloud_shim.cli.main import main

        # Some of an extra's packages may be there for another's sake; the rest is missed on the way.
        main()
    except ModuleNotFoundError as error:
        _stop(error)


def flash() -> None:
    """The command `lamplight-flash`: `flash.py` as it is installed."""
    try:
        from flashing.cli import run

        sys.exit(run(sys.argv[1:], "lamplight-flash"))
    except ModuleNotFoundError as error:
        _stop(error, "flash")


def missing(error: ModuleNotFoundError, extra: str = "") -> LamplightError:
    """The remedy for a missing module, as an error; raises `error` again for a module of our own."""
    top = (error.name or "").partition(".")[0]
    if not top or top in _OURS:
        raise error
    chosen = extra or _EXTRAS.get(top, "shim")
    return NotFoundError(
        f"{top} is not installed",
        f"it belongs to the part of Lamplight that is called {chosen}, which was left out",
        f"pip install '{_installed_from()}[{chosen}]'",
    )


def _stop(error: ModuleNotFoundError, extra: str = "") -> None:
    told = missing(error, extra)
    print(f"error: {told.what}. {told.why}. try: {told.remedy}", file=sys.stderr)  # noqa: T201
    sys.exit(_EXIT)


def _installed_from() -> str:
    """The wheel or folder Lamplight was installed from: on PyPI its name is a stranger's."""
    try:
        told = metadata.distribution("lamplight").read_text("direct_url.json")
        address = urlsplit(str(json.loads(told or "{}").get("url", "")))
    except (metadata.PackageNotFoundError, ValueError):
        return "lamplight-VERSION-py3-none-any.whl"
    return unquote(address.path) if address.scheme == "file" else "lamplight-VERSION-py3-none-any.whl"


if __name__ == "__main__":
    lamplight()
