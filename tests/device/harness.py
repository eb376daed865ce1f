"""A cloud that signs for real and publishes into a dict, a runner that runs nothing, and an engine between them."""

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from cloud_shim.trust.signing import Signing
from device.artifact import archive, patch
from device.generation import Generation
from device.health import SensorHealth
from device.infer.files import MODEL_FILES
from device.launcher.line import Line
from device.protocol import chunks
from device.protocol.deployment import ArtifactRef, Deployment, Patch
from device.update import slots
from device.update.agent.self_update import SelfUpdate
from device.update.engine import Engine

HANDLER = b"def handler(event, context):\n    return %d\n"


def function_files(name="lamp", body=HANDLER % 1, extra=""):
    manifest = f'name = "{name}"\nhandler = "main:handler"\n{extra}\n[config]\nthreshold = 100\n'
    return {"function.toml": manifest.encode(), "main.py": body}


def model_files(name="presence", onnx=b"onnx"):
    manifest = f'name = "{name}"\n[inputs]\nx = [1, 4]\n'
    return {"model.toml": manifest.encode(), "model.onnx": onnx, "golden.json": b"[]"}


def write(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


class Cloud:
    """Releases and signs for the fleet "home"; `broker` holds the retained chunks."""

    def __init__(self, folder):
        self.folder = folder
        self.signing = Signing(folder / "signing")
        self.broker = {}
        self.versions = {}
        self.artifacts = {}
        self.roots = folder / "roots"
        self.roots.mkdir(exist_ok=True)
        director, image = self.signing.roots()
        (self.roots / "director-root.json").write_bytes(director)
        (self.roots / "image-root.json").write_bytes(image)

    def release(self, files, kind="function", bases=()):
        """Pack, sign and seed the files, with patches from the artifacts `bases`; gives the artifact."""
        self.versions[kind] = version = self.versions.get(kind, 0) + 1
        data = self.pack(files, kind)
        patches = [(base, patch.make(self.artifacts[base.digest], data)) for base in bases]
        return self.release_bytes(kind, "presence" if kind == "model" else "lamp", version, data, patches)

    def pack(self, files, kind="function"):
        """The artifact of these files."""
        with tempfile.TemporaryDirectory(dir=self.folder) as source:
            return archive.pack(write(Path(source), files), MODEL_FILES if kind == "model" else None)

    def release_bytes(self, kind, name, version, data, patches=()):
        """Sign and seed bytes that may be anything; `patches` are artifacts, each with bytes that may be anything."""
        made = tuple(Patch(kind, name, version, base.digest, *self.seed(each)) for base, each in patches)
        ref = ArtifactRef(kind, name, version, *self.seed(data), made)
        self.artifacts[ref.digest] = data
        self.signing.release(kind, name, version, ref.digest, ref.length, made)
        return ref

    def seed(self, data):
        """Put the chunks of these bytes onto the broker; gives digest, length and index."""
        parts = chunks.split(data)
        index = chunks.encode_index([chunks.digest(part) for part in parts]) if len(parts) > 1 else b""
        for part in [*parts, *([index] if index else [])]:
            self.broker[chunks.digest(part)] = part
        return chunks.digest(data), len(data), chunks.digest(index) if index else ""

    def deployment(
        self, generation, *refs, device="desk-pi", fleet="home", config=None, seconds=0.0, events=0, attempt=0
    ):
        functions = {ref.name: ref for ref in refs if ref.kind == "function"}
        models = {ref.name: ref for ref in refs if ref.kind == "model"}
        settings = {name: config or {} for name in functions}
        return Deployment(fleet, device, generation, functions, models, settings, seconds, events, attempt)

    def desired(self, generation, *refs, **more):
        """The signed document."""
        return self.signing.desired(self.deployment(generation, *refs, **more))


@dataclass
class Health:
    state: str = "running"
    events: int = 0
    errors: int = 0
    timeouts: int = 0
    crashes: int = 0
    deaths: dict = field(default_factory=dict)
    runs: int = 0
    slow: int = 0
    excused: int = 0
    circles: int = 0
    triggers: tuple = ()
    last_error: str = ""


@dataclass
class Runner:
    """Keeps what it was told to run; by generation, `counters` say how its functions do, `kills` which sensors fail.

    Those in `dead` always fail.
    """

    switched: list = field(default_factory=list)
    refuse: Exception | None = None
    break_on: dict = field(default_factory=dict)
    counters: dict = field(default_factory=dict)
    dead: set = field(default_factory=set)
    kills: dict = field(default_factory=dict)
    looks: int = 0
    kept: set = field(default_factory=set)
    unfit: dict = field(default_factory=dict)

    @property
    def generation(self):
        return self.switched[-1] if self.switched else Generation(0)

    def check(self, generation):
        if self.refuse:
            raise self.refuse

    def switch(self, generation):
        if generation.number in self.break_on:
            raise self.break_on[generation.number]
        self.switched.append(generation)

    resume = switch

    def fitting(self, generation):
        return generation.without({name: why for name, why in self.unfit.items() if name in generation.proven})

    def sensors(self):
        failing = self.dead | self.kills.get(self.generation.number, set())
        return {"light": SensorHealth("light" not in failing, "no answer" if "light" in failing else "")}

    def keep(self, functions):
        self.kept = set(functions)

    def health(self):
        self.looks += 1
        return {name: self.counters.get(self.generation.number, Health()) for name in self.generation.functions}


class Link:
    """Delivers what the broker holds; offline it delivers nothing and forgets subscriptions."""

    def __init__(self, broker):
        self.broker = broker
        self.engine = None
        self.online = True
        self.subscribed = set()
        self.asked = []
        self.wanted = []
        self.answers = {}

    @property
    def connected(self):
        return self.online

    def subscribe(self, digests):
        self.asked.extend(digests)
        if self.online:
            self.subscribed.update(digests)
            for digest in digests:
                self.deliver(digest)

    def unsubscribe(self, digests):
        self.subscribed.difference_update(digests)

    def want(self, digests):
        self.wanted.extend(digests)
        for digest in digests:
            self.broker.update({digest: self.answers[digest]} if digest in self.answers else {})
            self.deliver(digest)

    def deliver(self, digest):
        if self.online and digest in self.subscribed and digest in self.broker:
            self.engine.chunk(digest, self.broker[digest])

    def cut(self):
        self.online = False
        self.subscribed.clear()

    def restore(self):
        self.online = True
        self.engine.connected()


class Device:
    """One device's engine, restartable over the same folder."""

    def __init__(self, folder, cloud, name="desk-pi"):
        self.folder, self.cloud, self.name = folder, cloud, name
        self.link = Link(cloud.broker)
        self.runner = Runner()
        self.events = []
        self.accepted = []
        self.refused_models = {}
        self.clock = time.monotonic
        self.engine = None

    def boot(self, start=True):
        self.engine = Engine(
            self.folder,
            "home",
            self.name,
            self.cloud.roots,
            self.runner,
            self.link,
            lambda: None,
            self.events.append,
            self._accept,
            self.own(),
            self.clock,
        )
        self.link.engine = self.engine
        generation = self.engine.boot()
        if start:
            self.engine.start()
        return generation

    def own(self):
        """The agent's own replacement; here there is no launcher."""
        return SelfUpdate(self.folder / "runtime", Line(None), lambda: None)

    def restart(self):
        self.engine.stop()
        return self.boot()

    def wait(self, condition, timeout=60):
        """Wait until condition(status) holds, and give the status."""
        deadline = time.monotonic() + timeout
        while not condition(self.engine.status()):
            assert time.monotonic() < deadline, self.engine.status()
            time.sleep(0.01)
        return self.engine.status()

    def deploy(self, payload, state="COMMITTED"):
        """Hand in a document and wait for that state."""
        self.engine.desired(payload)
        return self.wait(lambda status: status.state == state)

    def litter(self):
        """The names of what no slot needs."""
        needed = slots.load(self.folder / "slots.json").digests() | {"slots.json", "trusted.json", "blobs", "trees"}
        names = [path.name for folder in (".", "blobs", "trees") for path in (self.folder / folder).iterdir()]
        return [name for name in names if name not in needed or (self.folder / "blobs" / name).is_file()]

    def states(self):
        return [(event.update, event.state) for event in self.events]

    def _accept(self, folder, timeout, abandoned):
        self.accepted.append(folder.name)
        if folder.name in self.refused_models:
            raise self.refused_models[folder.name]
