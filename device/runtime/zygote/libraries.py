"""Hides the agent's own libraries from functions: what a worker shares with them is found, the rest is not there.

A function that imports one of the agent's libraries by accident would break with the agent's next version. It is to
name it in its requirements.txt, and has the version it asks for. Only names at the top of the agent's own folders are
hidden: what the system or the board's owner installed elsewhere is theirs to use. layered.py puts a function's own
packages before all.
"""

import sys
from importlib.abc import PathEntryFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

# The modules found in the agent's folders, by the project that brings them: those a worker has in memory, and the ones
# that they import when they need them. A test compares them with what these projects declare.
SHARED = {
    "lamplight": ("boards", "device", "lamplight"),
    "adafruit-blinka": (
        *("adafruit_blinka", "analogio", "bitbangio", "board", "board_imports", "busio", "digitalio", "keypad"),
        *("microcontroller", "microcontroller_imports", "micropython", "neopixel_write", "onewireio", "pulseio"),
        *("pwmio", "rainbowio", "usb_hid"),
    ),
    "adafruit-circuitpython-busdevice": ("adafruit_bus_device",),
    "adafruit-circuitpython-connectionmanager": ("adafruit_connection_manager",),
    "adafruit-circuitpython-requests": ("adafruit_requests",),
    "adafruit-circuitpython-tsl2561": ("adafruit_tsl2561",),
    "adafruit-circuitpython-typing": ("circuitpython_typing",),
    "adafruit-platformdetect": ("adafruit_platformdetect",),
    "adafruit-pureio": ("Adafruit_PureIO",),
    "binho-host-adapter": ("binhoHostAdapter",),
    "flatbuffers": ("flatbuffers",),
    "gpiod": ("gpiod",),
    "numpy": ("numpy",),
    "onnxruntime": ("onnxruntime",),
    "packaging": ("packaging",),
    "protobuf": ("google",),
    "pyftdi": ("pyftdi",),
    "pyserial": ("serial",),
    "pyusb": ("usb",),
    "sysv-ipc": ("sysv_ipc",),
    "typing-extensions": ("typing_extensions",),
    # The standard library's zoneinfo looks here where the system has no zones.
    "tzdata": ("tzdata",),
}
_SHOWN = frozenset(name for names in SHARED.values() for name in names)
# Each lies beside the others of its kind: the agent's code, and its libraries.
_AGENTS = ("device", "paho")


class _Shown(PathEntryFinder):
    """A folder's finder that finds the shared modules only."""

    def __init__(self, whole: PathEntryFinder) -> None:
        self._whole = whole

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> ModuleSpec | None:
        """Where the module is, if it is one of them."""
        return self._whole.find_spec(fullname, target) if fullname in _SHOWN else None

    def invalidate_caches(self) -> None:
        """Look at the folder again."""
        self._whole.invalidate_caches()


def hide() -> None:
    """From now on this process and those forked from it find no library of the agent's own."""
    for folder in filter(_is_agents, sys.path):
        finder = sys.path_importer_cache.get(folder)
        if isinstance(finder, PathEntryFinder) and not isinstance(finder, _Shown):
            sys.path_importer_cache[folder] = _Shown(finder)


def _is_agents(folder: str) -> bool:
    """Whether the agent's code or its libraries lie there; the folder has a finder from then on."""
    return any(PathFinder.find_spec(name, [folder]) for name in _AGENTS)
