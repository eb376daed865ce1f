"""A supervisor on fake hardware, functions made from a few lines of code, and the records that come out."""

import hashlib
import shutil
import textwrap
import threading
import time
import tomllib
from dataclasses import replace
from pathlib import Path

from fake_hardware import FakeHardware

from device.generation import Generation, InstalledFunction, InstalledLayer
from device.protocol import manifest
from device.runtime.backoff import Backoff
from device.runtime.policy import Policy
from device.runtime.supervisor import Supervisor
from tests import installed

QUICK = Policy(warm=10, stop=2, call=10, backoff=Backoff(first=0.05, longest=0.2))


def until(condition, what="the condition", seconds=30):
    """Wait for a condition, not a clock; its value."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"{what} did not come true"
        time.sleep(0.005)
    return value


def alive(pid):
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Records:
    def __init__(self):
        self._lock = threading.Lock()
        self._all = []

    def emit(self, stream, kind, fields):
        with self._lock:
            self._all.append({"stream": stream, "kind": kind, **fields})

    def of(self, kind, **fields):
        with self._lock:
            return [r for r in self._all if r["kind"] == kind and all(r.get(k) == v for k, v in fields.items())]

    def wait(self, kind, count=1, **fields):
        try:
            return until(lambda: (found := self.of(kind, **fields)) and len(found) >= count and found, kind)
        except AssertionError:
            last = "\n".join(str(each) for each in self._all[-20:])
            raise AssertionError(f"{count} of {kind} {fields} did not come; the last records are\n{last}") from None

    def texts(self, function):
        return [r["text"] for r in self.of("log", function=function)]


class Bench:
    """A board's runtime, and the means to put functions on it."""

    def __init__(self, folder, policy=QUICK, hardware=None, groups=None):
        self.folder = folder
        self.records = Records()
        self.hardware = hardware or FakeHardware(folder)
        self.supervisor = Supervisor(
            self.hardware, self.records.emit, folder / "scratch", folder / "states", policy, groups=groups
        )
        self._generation = 0

    def function(self, code, name="f", version=1, config=None, models=None, toml=""):
        """An installed function from the code of its main.py; `toml` are more lines of its function.toml."""
        path = self.folder / f"{name}-{version}-{hashlib.sha256(code.encode()).hexdigest()[:8]}"
        path.mkdir(exist_ok=True)
        text = f'name = "{name}"\nhandler = "main:handler"\n' + textwrap.dedent(toml)
        (path / "function.toml").write_text(text)
        (path / "main.py").write_text(textwrap.dedent(code))
        checked = manifest.function(tomllib.loads(text))
        digest = hashlib.sha256(f"{version}{code}{text}".encode()).hexdigest()
        settings = {**checked.config, **(config or {})}
        return InstalledFunction(name, version, digest, path, checked, settings, models or {})

    def with_packages(self, function, *names):
        """The function with a layer of these projects, as this machine has them."""
        folder = self.folder / f"layer-{'-'.join(names)}"
        path = folder if folder.exists() else installed.layer(folder, *names)
        return replace(function, layer=InstalledLayer(folder.name, path))

    def bundle(self, folder, toml=""):
        """An installed function from a bundle's folder; `toml` are more lines of its function.toml."""
        path = self.folder / folder.name
        shutil.copytree(folder, path)
        with (path / "function.toml").open("a") as manifest_file:
            manifest_file.write(toml)
        checked = manifest.function(tomllib.loads((path / "function.toml").read_text()))
        return InstalledFunction(checked.name, 1, folder.name, path, checked, checked.config)

    def shared(self, name):
        """A file that functions and the test both see, empty: the functions' own files are not visible from outside."""
        path = self.hardware.folder / name
        path.touch()
        path.chmod(0o666)
        return path

    def generation(self, *functions):
        self._generation += 1
        return Generation(self._generation, {f.name: f for f in functions})

    def run(self, *functions):
        self.supervisor.switch(self.generation(*functions))
        for function in functions:
            until(lambda f=function: self.health(f.name).state in ("running", "impaired"), f"{function.name} at work")

    def health(self, name="f"):
        return self.supervisor.health()[name]

    def offer(self, name, data=None):
        """An event as a trigger would deliver it."""
        self.supervisor._dispatchers[name].offer("test", "lamplight.test", data)

    def worker(self, name):
        """The process id of the worker that started last."""
        return int(self.records.wait("worker", function=name, what="started")[-1]["detail"].split()[-1])
