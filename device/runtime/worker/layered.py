"""Puts a function's layer on the import path: after the standard library, before the packages of the board.

At home packages lie after the standard library, too: one that is called `asyncio` or `enum` hides nothing there. The
zygote imported some packages for its own use; of those that the layer brings, the function gets the layer's. Which
packages a layer may bring is decided at `lamplight deploy`: never Blinka, numpy or onnxruntime, see brought.py there.
"""

import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

# The agent's own code goes on in this process, whatever a package calls itself.
_AGENT = ("boards", "device", "lamplight")
# Endings of a module's file.
_MODULES = (".py", ".pyc", ".so")


def enter(layer: Path) -> None:
    """Have imports find the packages in `layer`."""
    standard = [each for each in sys.path if _is_standard(each)]
    sys.path[:] = [*standard, str(layer), *(each for each in sys.path if each not in standard)]
    own = {*names(layer)} - sys.stdlib_module_names - {*_AGENT}
    for name in [each for each in sys.modules if each.partition(".")[0] in own]:
        del sys.modules[name]


def names(layer: Path) -> Iterator[str]:
    """The names an import finds in the layer itself."""
    for path in layer.iterdir() if layer.is_dir() else ():
        name = path.name.partition(".")[0]
        if name.isidentifier() and (path.is_dir() or path.suffix in _MODULES):
            yield name


def _is_standard(entry: str) -> bool:
    """Whether it is a place of the standard library: its folder, its zip, or its modules in C."""
    folders = {Path(sysconfig.get_path(each)) for each in ("stdlib", "platstdlib")}
    path = Path(entry)
    return path in folders or path.name == "lib-dynload" or (path.suffix == ".zip" and path.name.startswith("python3"))
