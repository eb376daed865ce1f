"""A disk that remembers each step taken on it, can fail at one, and knows what a power cut would leave.

It acts on a real folder, through the seam device/durable.py. The model is that of POSIX, with no favour of any
one file system: a file's bytes are certain after its fsync, a name (made, given or taken away) after an fsync of a
folder that holds it. Until then bytes may be lost or torn, and names may be kept in any subset and any order.
It does not model fsync that lies, or sectors that rot.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from device.durable import Disk


class QuickDisk(Disk):
    """Syncs nothing: for runs in which the power stays on."""

    def sync(self, path):
        if not path.exists():
            raise FileNotFoundError(path)


class RecordingDisk(QuickDisk):
    """Keeps the steps taken below `root`; those whose numbers are in `failing` raise `error` and do nothing."""

    def __init__(self, root: Path, failing: Iterable[int] = (), error: OSError | None = None):
        self.steps = []
        self.tried = 0
        self._root = root
        self._failing = failing
        self._error = error
        self._open = {}

    def _step(self, act, kind, *paths, data=b"", offset=None):
        self.tried += 1
        if self.tried - 1 in self._failing:
            raise self._error
        result = act()
        self.steps.append((kind, [path.relative_to(self._root).parts for path in paths], data, offset))
        return result

    def create(self, path, mode):
        file = self._step(lambda: super(RecordingDisk, self).create(path, mode), "create", path)
        self._open[file] = path
        return file

    def write(self, file, data):
        self._step(lambda: super(RecordingDisk, self).write(file, data), "write", self._open[file], data=bytes(data))

    def write_at(self, path, offset, data):
        act = super().write_at
        self._step(lambda: act(path, offset, data), "write", path, data=bytes(data), offset=offset)

    def sync(self, path):
        self._step(lambda: super(RecordingDisk, self).sync(path), "sync", path)

    def rename(self, source, target):
        self._step(lambda: super(RecordingDisk, self).rename(source, target), "rename", source, target)

    def unlink(self, path):
        self._step(lambda: super(RecordingDisk, self).unlink(path), "unlink", path)

    def make_folder(self, path, mode):
        self._step(lambda: super(RecordingDisk, self).make_folder(path, mode), "make_folder", path)

    def remove_folder(self, path):
        self._step(lambda: super(RecordingDisk, self).remove_folder(path), "unlink", path)


@dataclass(eq=False)
class File:
    """`synced` is what a power cut leaves for certain; `unsure` the writes since, each an offset and bytes."""

    data: bytes = b""
    synced: bytes = b""
    unsure: list = field(default_factory=list)

    def write(self, offset, data):
        offset = len(self.data) if offset is None else offset
        self.data = _put(self.data, offset, data)
        self.unsure.append((offset, data))

    def sync(self):
        self.synced = self.data
        self.unsure.clear()


@dataclass(eq=False)
class Folder:
    """`now` are the names as programs see them, `synced` those that a power cut leaves for certain."""

    now: dict = field(default_factory=dict)
    synced: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """`node` gets the name `target` and loses the name `source`; each is a folder and a name in it, or None."""

    node: File | Folder
    source: tuple | None
    target: tuple | None

    def touches(self, folder):
        return any(place and place[0] is folder for place in (self.source, self.target))

    def apply(self, names):
        """Make the change in `names`, which gives a folder's entries."""
        if self.source and names(self.source[0]).get(self.source[1]) is self.node:
            del names(self.source[0])[self.source[1]]
        if self.target:
            names(self.target[0])[self.target[1]] = self.node


class Model:
    """What is certain, and what is not, after the steps taken so far."""

    def __init__(self, start: Path):
        self._root = _read(start)
        self._pending = []

    def take(self, step):
        """Follow one step of a RecordingDisk."""
        kind, paths, data, offset = step
        if kind == "write":
            self._node(paths[0]).write(offset, data)
        elif kind == "sync":
            self._sync(self._node(paths[0]))
        elif kind == "rename":
            self._change(Change(self._node(paths[0]), self._place(paths[0]), self._place(paths[1])))
        elif kind == "unlink":
            self._change(Change(self._node(paths[0]), self._place(paths[0]), None))
        else:
            self._change(Change(File() if kind == "create" else Folder(), None, self._place(paths[0])))

    def lose_power(self, into: Path, choice: random.Random | None = None):
        """Write as `into` what is left: nothing that is not certain, or else what `choice` picks of it."""
        names = {}
        kept = [change for change in self._pending if choice and choice.random() < 0.5]
        if choice:
            choice.shuffle(kept)

        def entries(folder):
            return names.setdefault(id(folder), dict(folder.synced))

        for change in kept:
            change.apply(entries)
        _write(self._root, into, entries, choice)

    def _node(self, parts):
        node = self._root
        for part in parts:
            node = node.now[part]
        return node

    def _place(self, parts):
        return self._node(parts[:-1]), parts[-1]

    def _change(self, change):
        change.apply(lambda folder: folder.now)
        self._pending.append(change)

    def _sync(self, node):
        if isinstance(node, File):
            node.sync()
            return
        for change in [change for change in self._pending if change.touches(node)]:
            change.apply(lambda folder: folder.synced)
            self._pending.remove(change)


def _read(path):
    if path.is_dir():
        entries = {each.name: _read(each) for each in path.iterdir()}
        return Folder(dict(entries), entries)
    data = path.read_bytes()
    return File(data, data)


def _write(node, path, entries, choice):
    if isinstance(node, Folder):
        path.mkdir()
        for name, each in entries(node).items():
            _write(each, path / name, entries, choice)
    else:
        path.write_bytes(_torn(node, choice) if choice else node.synced)


def _torn(file, choice):
    """Each write since the last fsync may be there, be cut short, or have its place taken but not its content."""
    left = file.synced
    for offset, data in file.unsure:
        cut = choice.randint(0, len(data))
        kept = choice.choice([None, data, data[:cut], data[:cut] + bytes(len(data) - cut)])
        left = left if kept is None else _put(left, offset, kept)
    return left


def _put(content, offset, data):
    return content[:offset].ljust(offset, b"\0") + data + content[offset + len(data) :]
