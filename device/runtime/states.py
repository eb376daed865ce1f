"""The place of the functions' states: one folder a function, in it one a schema. The agent's side.

It makes and removes folders, and the files in them (state_files.py). Only the function's own workers read the files
(state.py, migration.py).
"""

import contextlib
import secrets
import shutil
import threading
from collections.abc import Collection
from pathlib import Path

from device.runtime import state_files

# Impossible as a function's name: a folder bears it during its removal, so half of it never counts as whole.
_GONE = ".gone-"


class States:
    """The folders below `folder`, made at first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Instances of one function start at the same time.
        self._making = threading.Lock()

    def of(self, function: str, schema: int) -> Path:
        """This function's folder, with the files of this schema made. Raises OSError."""
        path = self._folder / function
        self._folder.mkdir(exist_ok=True, mode=0o700, parents=True)
        path.mkdir(exist_ok=True, mode=0o700)
        with self._making:
            state_files.make(path, schema)
        return path

    def switch(self, function: str, old: int, new: int) -> None:
        """The function goes from schema `old` to `new`. Its workers must have the state closed.

        Upwards it migrates its present state anew, whatever an earlier try left; downwards it finds its former state.
        """
        path = self._folder / function
        if new > old and path.is_dir():
            for schema in path.iterdir():
                if schema.name.isdigit() and schema.name != str(old):
                    self._remove(schema)
            self.of(function, new)
            # The workers of the new schema are confined already: the new files must be theirs, like the rest.
            state_files.give_as_before(path)

    def keep(self, functions: Collection[str]) -> None:
        """Remove the state of every function but these."""
        with contextlib.suppress(FileNotFoundError):
            for path in self._folder.iterdir():
                if path.name not in functions:
                    self._remove(path)

    def _remove(self, path: Path) -> None:
        gone = path if path.name.startswith(_GONE) else self._folder / (_GONE + secrets.token_hex(8))
        # A failed removal is tried again with the next `keep`.
        with contextlib.suppress(OSError):
            path.rename(gone)
            shutil.rmtree(gone)
