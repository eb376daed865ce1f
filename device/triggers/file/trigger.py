"""The file trigger: an event when a file is put into a folder or removed from it, as an object store's are.

agent.toml grants the folders and names them: a function can watch only those. It leaves folders below alone, and files
unread. changes.py reads the kernel's notices.
"""

import fnmatch
import logging
import os
import select
import stat
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from device.errors import LamplightError
from device.protocol.triggers import FileTrigger as Declared
from device.triggers.delivery import Deliver
from device.triggers.file.changes import PUT, Changes
from device.triggers.file.inotify import GONE, OVERFLOW, Inotify
from device.triggers.file.readable import hindrance

# A missing folder, such as an unplugged stick's, is looked for this often, in seconds.
RETRY = 1.0
_REMEDY = "Let others read it: chmod o+r, or umask 022 for the program that puts it there"

_log = logging.getLogger(__name__)


class FileTrigger:
    """Delivers the changes of one folder, until closed. `user`, if any, is the one functions share with the agent."""

    def __init__(self, declared: Declared, folder: Path, deliver: Deliver, user: int | None) -> None:
        self._declared = declared
        self._user = user
        self._folder = folder
        self._deliver = deliver
        self._changes = Changes()
        self._woken, self._wake = os.pipe()
        self._closed = threading.Event()
        self._fresh = True
        self._fault: LamplightError | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"folder {declared.folder}", daemon=True)
        self._thread.start()
        # Files put from now on count: the maker of this object may put one at once.
        self._ready.wait(RETRY)

    @property
    def fault(self) -> LamplightError | None:
        """The reason for an unwatched folder; None while it is watched."""
        return self._fault

    def close(self) -> None:
        """Deliver no more."""
        self._closed.set()
        os.write(self._wake, b"!")
        self._thread.join()
        os.close(self._wake)
        os.close(self._woken)

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                watch = Inotify(self._folder)
            except LamplightError as error:
                self._fault = error
                self._ready.set()
                select.select([self._woken], [], [], RETRY)
                continue
            try:
                self._begin()
                self._follow(watch)
            finally:
                watch.close()

    def _begin(self) -> None:
        """Look at the present files: at the start they count as known, later they are compared."""
        if self._fresh and not self._declared.initial:
            self._changes.known.update(self._names())
        else:
            self._changes.found(self._names(), time.monotonic())
        self._fresh, self._fault = False, None
        self._ready.set()

    def _follow(self, watch: Inotify) -> None:
        """Until the folder goes or the trigger is closed."""
        while True:
            patience = self._changes.patience(time.monotonic())
            ready, _, _ = select.select([watch, self._woken], [], [], RETRY if patience is None else patience)
            if self._closed.is_set():
                return
            # A worker with the folder in its view keeps the kernel from reporting its removal.
            there = self._hear(watch) if watch in ready else watch.holds(self._folder)
            for what, name in self._changes.due(time.monotonic()):
                self._tell(what, name)
            if not there:
                return

    def _hear(self, watch: Inotify) -> bool:
        """Take the kernel's notices; returns whether the folder is still there."""
        for notice in watch.read():
            if notice.mask & GONE:
                return False
            if notice.mask & OVERFLOW:
                self._changes.found(self._names(), time.monotonic())
            elif fnmatch.fnmatchcase(notice.name, self._declared.match):
                self._changes.notice(notice, time.monotonic())
        return True

    def _tell(self, what: str, name: str) -> None:
        data: dict[str, object] = {"folder": self._declared.folder, "name": name}
        if what == PUT:
            found = _plain(self._folder / name)
            if found is None:
                # A link, or gone again; its removal is told of by itself.
                return
            data |= {"path": str(self._folder / name), "size": found.st_size, **self._hindrance(name, found)}
        self._deliver(f"file/{self._declared.folder}", f"lamplight.file.{what}", data, name)

    def _hindrance(self, name: str, found: os.stat_result) -> dict[str, object]:
        """`unreadable` with the reason, for a file that the function cannot read."""
        try:
            why = hindrance(found, self._folder.stat(), self._user)
        except OSError:
            # The folder went at this moment.
            return {}
        if not why:
            return {}
        _log.warning("Functions cannot read %s in the folder %r: %s. %s", name, self._declared.folder, why, _REMEDY)
        return {"unreadable": why}

    def _names(self) -> list[str]:
        try:
            with os.scandir(self._folder) as entries:
                names = [each.name for each in entries if each.is_file(follow_symlinks=False)]
        except OSError:
            return []
        return [each for each in names if fnmatch.fnmatchcase(each, self._declared.match)]


def _plain(path: Path) -> os.stat_result | None:
    """The status of a file; None for anything but a plain file, links included: they could lead anywhere."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def can_watch(folder: Path) -> None:
    """Raise LamplightError when the folder is out of reach now."""
    Inotify(folder).close()


def folder_of(folders: Mapping[str, Path], name: str) -> Path:
    """The folder called `name` in agent.toml; raises LamplightError with a list of the granted ones."""
    if name not in folders:
        raise LamplightError(
            f"there is no folder {name!r}",
            f"agent.toml grants: {', '.join(sorted(folders)) or 'none'}",
            f'grant one on the board: [folders] {name} = "/srv/{name}"',
        )
    return folders[name]
