"""The most likely cure for an error in a function's code: a line for its reader, or "".

It looks at the error and at the names in the function's folder, and changes neither.
"""

import difflib
import errno
import os
import socket
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

# Packages with another name than their modules.
_PACKAGES = {
    "Crypto": "pycryptodome",
    "OpenSSL": "pyOpenSSL",
    "PIL": "pillow",
    "adafruit_bus_device": "adafruit-circuitpython-busdevice",
    "adafruit_character_lcd": "adafruit-circuitpython-charlcd",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "discord": "discord.py",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "fitz": "PyMuPDF",
    "jwt": "PyJWT",
    "magic": "python-magic",
    "multipart": "python-multipart",
    "nacl": "PyNaCl",
    "paho": "paho-mqtt",
    "pkg_resources": "setuptools",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "usb": "pyusb",
    "websocket": "websocket-client",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}
_ADAFRUIT = "adafruit_"
# Modules that drive pins past the agent, which holds them.
_PAST_THE_AGENT = ("RPi", "RPIO", "lgpio", "pigpio", "gpiod", "wiringpi")
# The errors of kernel and sandbox for a missing network.
_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
_FORBIDDEN = (errno.EPERM, errno.EACCES)
_MOST = 10
_ONLY_SCRATCH = (
    "a function's own folder is read-only: write to its scratch folder (a name without folder, or /tmp), and keep "
    "lasting values in context.state"
)


def remedy(error: BaseException, own: Collection[str], network: bool) -> str:
    """The likely cure.

    `own` are the modules in the function's folder; `network` says whether it may use the network.
    """
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _module(error.name.removeprefix("lamplight.own."), own)
    if isinstance(error, FileNotFoundError) and _is_relative(error.filename):
        return "a function starts in its scratch folder; its own files are beside its code: Path(__file__).parent"
    if isinstance(error, OSError) and error.errno == errno.EROFS:
        return _ONLY_SCRATCH
    if isinstance(error, PermissionError) and _is_others(error.filename):
        return "a function is a user of its own: the file's owner must let others read it (chmod o+r, or umask 022)"
    if not network and any(_is_of_the_network(each) for each in _chain(error)):
        return "a function has no network unless its function.toml says `network = true`"
    return ""


def _is_relative(name: object) -> bool:
    return isinstance(name, str) and not Path(name).is_absolute()


def _is_others(name: object) -> bool:
    """Whether it is somebody else's file that others may not read."""
    if not isinstance(name, str):
        return False
    try:
        found = Path(name).stat()
    except OSError:
        return False
    return found.st_uid != os.getuid() and not found.st_mode & stat.S_IROTH


def _module(name: str, own: Collection[str]) -> str:
    top = name.partition(".")[0]
    if top == "lamplight":
        # On PyPI that name is a stranger's.
        return ""
    if top in own:
        return f"the function's own {top} has no {name.rpartition('.')[2]!r}" if name != top else ""
    near = difflib.get_close_matches(top, own, 1)
    if near:
        return f"did you mean {near[0]!r}, which is in the function's folder?"
    if top in _PAST_THE_AGENT:
        return "lease the pin in function.toml, [pins.NAME], and use context.pins[NAME].value: the agent holds the pins"
    return f"write {_package(top)} into requirements.txt beside function.toml, and `lamplight deploy` brings it"


def _package(module: str) -> str:
    if module not in _PACKAGES and module.startswith(_ADAFRUIT):
        return f"adafruit-circuitpython-{module.removeprefix(_ADAFRUIT).replace('_', '-')}"
    return _PACKAGES.get(module, module)


def _is_of_the_network(error: BaseException) -> bool:
    if isinstance(error, socket.gaierror):
        return True
    if not isinstance(error, OSError) or error.filename is not None:
        return False
    return error.errno in _UNREACHABLE or (error.errno in _FORBIDDEN and _in_socket(error))


def _in_socket(error: BaseException) -> bool:
    """Whether the standard library's own network code raised it: a file has the same error."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") in ("socket", "asyncio.base_events", "asyncio.selector_events"):
            return True
        trace = trace.tb_next
    return False


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and its causes and contexts."""
    each: BaseException | None = error
    for _ in range(_MOST):
        if each is None:
            return
        yield each
        reason = getattr(each, "reason", None)
        each = each.__cause__ or each.__context__ or (reason if isinstance(reason, BaseException) else None)
