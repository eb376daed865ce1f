"""Leads imports to the right file: in a function's own files to the function's, everywhere else to the process's.

A function may name its files freely. Its `device.py`, `calendar.py` or `board.py` shares its name with a module of the
agent, the standard library or the board. Python keeps one module for each name, so the function's is kept under OWN,
and an import in one of the function's files is led there. The agent, the libraries and the standard library go on
finding theirs. A name unique to the function is imported as Python does it.

`from . import helper` works in the function's folder too, as if the folder were a package. It looks at names only;
handler.py looks into the modules.
"""

import builtins
import importlib
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

# The package for a function's modules with names already taken.
OWN = "lamplight.own"
# A virtual environment may lie in the folder; the packages in it are others' code.
_INSTALLED = "/site-packages/"
# Python itself has these before it looks at any file, and `from __future__` speaks to the compiler.
_PYTHONS = ("sys", "builtins", "__future__")


class Names:
    """The names of the modules in `bundle`; from now on its files find each other. `release` ends it.

    `own` are the names an import finds in the folder itself.
    """

    def __init__(self, bundle: Path) -> None:
        self.bundle = bundle
        self._prefix = f"{bundle}/"
        self.own = frozenset(top_level(bundle))
        path = _path_without(bundle)
        self._taken = frozenset(name for name in self.own if name not in _PYTHONS and self._is_taken(name, path))
        self._before = builtins.__import__, importlib.import_module
        # Last, so that others find their own modules; in front, its `random.py` would be every library's.
        sys.path[:] = [*_path_without(bundle), str(bundle)]
        if self._taken or _speaks_of_its_folder(bundle):
            self._lead()

    def load(self, module: str) -> ModuleType:
        """The function's module of this name. Errors of its import pass through."""
        return importlib.import_module(self._real(module))

    def holds(self, module: ModuleType) -> bool:
        """Whether it was loaded from the function's folder."""
        return self._is_own({"__file__": getattr(module, "__file__", None)})

    def release(self) -> None:
        """Forget the function's modules, and import as before. Those of its tests stay: pytest holds them."""
        builtins.__import__, importlib.import_module = self._before
        if str(self.bundle) in sys.path:
            sys.path.remove(str(self.bundle))
        for name, module in list(sys.modules.items()):
            if name == OWN or (self.holds(module) and not str(module.__file__).startswith(f"{self._prefix}tests/")):
                del sys.modules[name]

    def _is_taken(self, name: str, path: Sequence[str]) -> bool:
        if name in sys.modules:
            return not self.holds(sys.modules[name])
        found = PathFinder.find_spec(name, path)
        return name in sys.stdlib_module_names or (found is not None and found.loader is not None)

    def _lead(self) -> None:
        package = ModuleType(OWN)
        package.__path__ = [str(self.bundle)]
        sys.modules[OWN] = package
        # An import by C code for a function's file goes by the process's names: it brings an empty list.
        builtins.__import__ = self._import
        importlib.import_module = self._import_module

    def _real(self, module: str) -> str:
        return f"{OWN}.{module}" if module.partition(".")[0] in self._taken else module

    def _is_own(self, globals: Mapping[str, object] | None) -> bool:
        file = globals.get("__file__") if globals else None
        return isinstance(file, str) and file.startswith(self._prefix) and _INSTALLED not in file

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """`builtins.__import__`, as https://docs.python.org/3/library/functions.html#import__ has it."""
        plain, _ = self._before
        globals = _importer() if globals is None else globals
        if fromlist == [] or not self._is_own(globals):
            return plain(name, globals, locals, fromlist or (), level)
        if level and level == _depth(globals) + 1:
            return self._beside(name, globals, fromlist or ())
        if level or name.partition(".")[0] not in self._taken:
            return plain(name, globals, locals, fromlist or (), level)
        if fromlist:
            return plain(f"{OWN}.{name}", globals, locals, fromlist, 0)
        importlib.import_module(f"{OWN}.{name}")
        return sys.modules[f"{OWN}.{name.partition('.')[0]}"]

    def _beside(self, name: str, globals: Mapping[str, object], names: Sequence[str]) -> ModuleType:
        """`from .name import names`, or `from . import names`, where the dot is the function's folder."""
        if name:
            self._check_own(name.partition(".")[0])
            return self._import(name, globals, None, names, 0)
        folder = ModuleType("the function's folder")
        for each in names:
            self._check_own(each)
            setattr(folder, each, self.load(each))
        return folder

    def _check_own(self, name: str) -> None:
        if name not in self.own:
            raise ModuleNotFoundError(f"No module named {name!r} in the function's folder", name=name)

    def _import_module(self, name: str, package: str | None = None) -> ModuleType:
        _, plain = self._before
        if not name.startswith(".") and self._is_own(_importer()):
            return plain(self._real(name))
        return plain(name, package)


def _importer() -> Mapping[str, object]:
    """The global names of the importing module."""
    frame = inspect.currentframe()
    caller = frame.f_back.f_back if frame and frame.f_back else None
    return caller.f_globals if caller else {}


def top_level(bundle: Path) -> Iterator[str]:
    """The names an import finds in the folder itself: modules, and folders with code in them."""
    for path in bundle.iterdir() if bundle.is_dir() else ():
        name = path.name.partition(".")[0]
        if name.isidentifier() and (path.suffix in (".py", ".so") or (path.is_dir() and any(path.rglob("*.py")))):
            yield name


def _path_without(bundle: Path) -> list[str]:
    return [each for each in sys.path if Path(each).absolute() != bundle]


def spelled(text: str) -> str:
    """`text` with the function's modules called as the function calls them."""
    return text.replace(f"{OWN}.", "")


def _speaks_of_its_folder(bundle: Path) -> bool:
    """Whether a file may say `from . import helper` where the dot is the folder itself."""
    return any(b"from ." in path.read_bytes() for path in bundle.rglob("*.py"))


def _depth(globals: Mapping[str, Any]) -> int:
    """How many folders below the function's the package of the importing module lies."""
    package = globals.get("__package__") or ""
    inside = package.removeprefix(OWN).removeprefix(".")
    return inside.count(".") + 1 if inside else 0
