"""The deployment document: the releases for one device, with their configuration.

It travels inside `desired` as a signed target (see trust/rules.py); this file only says when one is well-formed.
Whether to believe it is decided there.
"""

import json

from .chunks import CHUNK_SIZE, MAX_ARTIFACT
from .errors import ProtocolError
from .fields import integer, items, name, number, only, plain, sha256, table, text

FORMAT = 1
MAX_GENERATION = 2**53 - 1
# A trial lasts a week and this many events at most.
MAX_TRIAL_SECONDS = 7 * 86400.0
MAX_TRIAL_EVENTS = 1_000_000
# The name of every release of the agent: a fleet has one.
AGENT = "lamplight"
# Named so on boards and in releases since before there was another word for a version of the agent.
AGENT_FILE = "runtime.toml"
# From the three releases before one.
MAX_PATCHES = 3


class ArtifactRef:
    """One released artifact: its kind, its name and its bytes.

    `kind` is "function", "model", "layer" or "agent", `version` its release number, `length` in bytes; `index` is the
    digest of its chunk index, or "" when it fits one chunk. `patches` make it from earlier releases.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        version: int,
        digest: str,
        length: int,
        index: str,
        patches: "tuple[Patch, ...]" = (),
    ) -> None:
        self.kind = kind
        self.name = name
        self.version = version
        self.digest = digest
        self.length = length
        self.index = index
        self.patches = patches

    @property
    def target(self) -> str:
        """Its path as a target in both repositories' metadata."""
        return f"{self.kind}s/{self.name}/{self.version}.tar"

    def targets(self) -> "list[ArtifactRef]":
        """Itself and its patches: each is a target in both repositories' metadata."""
        return [self, *self.patches]

    def with_patches(self, targets: "set[str]") -> "ArtifactRef":
        """The same with only those of its patches with one of these targets."""
        kept = tuple(patch for patch in self.patches if patch.target in targets)
        return ArtifactRef(self.kind, self.name, self.version, self.digest, self.length, self.index, kept)

    def content(self) -> dict[str, object]:
        """The identity of its bytes, in JSON form: its name is the key there, and the way it travels is left out."""
        return {"version": self.version, "sha256": self.digest, "length": self.length, "index": self.index}

    def to_json(self) -> dict[str, object]:
        """The JSON form; its name is the key there."""
        patches = [patch.to_json() for patch in self.patches]
        return {**self.content(), "patches": patches} if patches else self.content()


class Patch(ArtifactRef):
    """Bytes to make release `version` from the artifact with digest `base`; `digest` and `length` are their own."""

    def __init__(self, kind: str, name: str, version: int, base: str, digest: str, length: int, index: str) -> None:
        super().__init__(kind, name, version, digest, length, index)
        self.base = base

    @property
    def target(self) -> str:
        """Its path as a target, beside its artifact's."""
        return f"{self.kind}s/{self.name}/{self.version}.from-{self.base[:16]}.patch"

    def to_json(self) -> dict[str, object]:
        """The JSON form, as it stands in the list of an artifact's patches."""
        return {"base": self.base, "sha256": self.digest, "length": self.length, "index": self.index}


class Deployment:
    """The releases one device should run.

    `config` holds the operator's settings for each function; they go over the manifest's own. `layers` holds the
    dependencies of functions, where they have any. `agent` is the release of the agent itself, None for the one the
    board was made with. A trial lasts until `trial_seconds` have passed *and* `trial_events` were handled by each
    changed function, if it gets any. Content is tried again after a failure only with a higher `attempt` than then.
    """

    def __init__(
        self,
        fleet: str,
        device: str,
        generation: int,
        functions: dict[str, ArtifactRef],
        models: dict[str, ArtifactRef],
        config: dict[str, dict[str, object]],
        trial_seconds: float,
        trial_events: int,
        attempt: int = 0,
        agent: ArtifactRef | None = None,
        layers: "dict[str, ArtifactRef] | None" = None,
    ) -> None:
        self.fleet = fleet
        self.device = device
        self.generation = generation
        self.functions = functions
        self.models = models
        self.config = config
        self.trial_seconds = trial_seconds
        self.trial_events = trial_events
        self.attempt = attempt
        self.agent = agent
        self.layers = layers or {}

    def artifacts(self) -> list[ArtifactRef]:
        """Every artifact it names: functions, models, layers, then the agent, each group by name."""
        return [*self.parts(), *([self.agent] if self.agent else [])]

    def parts(self) -> list[ArtifactRef]:
        """The artifacts a generation runs: all but the agent."""
        # Functions with the same needs share a layer.
        layers = {self.layers[n].digest: self.layers[n] for n in sorted(self.layers)}
        functions = (self.functions[n] for n in sorted(self.functions))
        return [*functions, *(self.models[n] for n in sorted(self.models)), *layers.values()]

    def targets(self) -> list[ArtifactRef]:
        """All possible downloads: every artifact, each followed by its patches."""
        return [each for ref in self.artifacts() for each in ref.targets()]

    def with_patches(self, targets: "set[str]") -> "Deployment":
        """The same with only the patches with one of these targets."""
        functions = {n: ref.with_patches(targets) for n, ref in self.functions.items()}
        models = {n: ref.with_patches(targets) for n, ref in self.models.items()}
        layers = {n: ref.with_patches(targets) for n, ref in self.layers.items()}
        agent = self.agent.with_patches(targets) if self.agent else None
        return self.replace(functions=functions, models=models, layers=layers, agent=agent)

    def replace(self, **changes: object) -> "Deployment":
        """The same but for these attributes."""
        return Deployment(**{**self.__dict__, **changes})  # pyright: ignore[reportArgumentType]

    def content(self) -> dict[str, object]:
        """The content for the device to run, in JSON form: the way it travels, generation and trial are left out."""
        return {
            "functions": {
                n: {
                    **ref.content(),
                    "config": self.config.get(n, {}),
                    **({"layer": self.layers[n].content()} if n in self.layers else {}),
                }
                for n, ref in self.functions.items()
            },
            "models": {n: ref.content() for n, ref in self.models.items()},
            **({"agent": self.agent.content()} if self.agent else {}),
        }

    def to_json(self) -> dict[str, object]:
        """The JSON form; `parse` is its inverse."""
        agent = {"agent": self.agent.to_json()} if self.agent else {}
        fields: dict[str, object] = {
            "format": FORMAT,
            "fleet": self.fleet,
            "device": self.device,
            "generation": self.generation,
            "functions": {n: self._function(n) for n in self.functions},
            "models": {n: ref.to_json() for n, ref in self.models.items()},
            "trial": {"seconds": self.trial_seconds, "events": self.trial_events},
            **agent,
        }
        return {**fields, "attempt": self.attempt} if self.attempt else fields

    def _function(self, name: str) -> dict[str, object]:
        layer = self.layers.get(name)
        needs = {"layer": {"name": layer.name, **layer.to_json()}} if layer else {}
        return {**self.functions[name].to_json(), "config": self.config.get(name, {}), **needs}

    def encode(self) -> bytes:
        """The bytes for signing: JSON with sorted keys."""
        return json.dumps(self.to_json(), sort_keys=True, separators=(",", ":")).encode()


def decode(data: bytes) -> Deployment:
    """The deployment in `data`; raises ProtocolError naming the wrong field."""
    try:
        return parse(json.loads(data))
    except (ValueError, RecursionError) as error:
        if isinstance(error, ProtocolError):
            raise
        raise ProtocolError(f"deployment: is not JSON: {error}") from None


def parse(value: object) -> Deployment:
    """A deployment from its JSON form."""
    fields = table(value, "deployment")
    plain(fields, "deployment")
    known = ("format", "fleet", "device", "generation", "functions", "models", "trial", "attempt", "agent")
    only(fields, known, "deployment")
    if fields.get("format") != FORMAT:
        raise ProtocolError(f"deployment.format: {fields.get('format')!r}; this agent reads format {FORMAT}")
    functions = table(fields.get("functions"), "deployment.functions")
    trial = table(fields.get("trial"), "deployment.trial")
    only(trial, ("seconds", "events"), "deployment.trial")
    return Deployment(
        fleet=name(fields.get("fleet"), "deployment.fleet"),
        device=name(fields.get("device"), "deployment.device"),
        generation=integer(fields, "generation", "deployment", 1, MAX_GENERATION),
        functions=_refs("function", functions, ("config", "layer")),
        models=_refs("model", table(fields.get("models"), "deployment.models"), ()),
        config={
            n: table(table(f, n).get("config", {}), f"deployment.functions.{n}.config") for n, f in functions.items()
        },
        trial_seconds=_seconds(trial),
        trial_events=integer(trial, "events", "deployment.trial", 0, MAX_TRIAL_EVENTS),
        attempt=integer(fields, "attempt", "deployment", 0, MAX_GENERATION, 0),
        agent=_ref("agent", AGENT, fields["agent"], "deployment.agent", ()) if "agent" in fields else None,
        layers={n: _layer(f["layer"], f"deployment.functions.{n}.layer") for n, f in _with_layer(functions)},
    )


def _with_layer(functions: dict[str, object]) -> list[tuple[str, dict[str, object]]]:
    tables = [(n, table(value, f"deployment.functions.{n}")) for n, value in functions.items()]
    return [(n, fields) for n, fields in tables if "layer" in fields]


def _layer(value: object, where: str) -> ArtifactRef:
    return _ref("layer", name(table(value, where).get("name"), f"{where}.name"), value, where, ("name",))


def _seconds(trial: dict[str, object]) -> float:
    seconds = number(trial, "seconds", "deployment.trial")
    if not 0 <= seconds <= MAX_TRIAL_SECONDS:
        raise ProtocolError(f"deployment.trial.seconds: {seconds} is not between 0 and a week")
    return seconds


def _refs(kind: str, group: dict[str, object], extra: tuple[str, ...]) -> dict[str, ArtifactRef]:
    where = f"deployment.{kind}s"
    return {name(n, where): _ref(kind, n, value, f"{where}.{n}", extra) for n, value in group.items()}


def _ref(kind: str, key: str, value: object, where: str, extra: tuple[str, ...]) -> ArtifactRef:
    fields = table(value, where)
    only(fields, ("version", "sha256", "length", "index", "patches", *extra), where)
    version = integer(fields, "version", where, 1, MAX_GENERATION)
    digest, length, index = _bytes(fields, where)
    return ArtifactRef(kind, key, version, digest, length, index, _patches(fields, kind, key, version, where))


def _patches(fields: dict[str, object], kind: str, key: str, version: int, where: str) -> tuple[Patch, ...]:
    patches = items(fields.get("patches", []), f"{where}.patches")
    if len(patches) > MAX_PATCHES:
        raise ProtocolError(f"{where}.patches: {len(patches)} of them; there are at most {MAX_PATCHES}")
    return tuple(_patch(each, kind, key, version, f"{where}.patches") for each in patches)


def _patch(value: object, kind: str, key: str, version: int, where: str) -> Patch:
    fields = table(value, where)
    only(fields, ("base", "sha256", "length", "index"), where)
    digest, length, index = _bytes(fields, where)
    return Patch(kind, key, version, sha256(fields.get("base"), f"{where}.base"), digest, length, index)


def _bytes(fields: dict[str, object], where: str) -> tuple[str, int, str]:
    """Digest, length and index of the bytes to travel."""
    length = integer(fields, "length", where, 1, MAX_ARTIFACT)
    index = text(fields, "index", where, "")
    if bool(index) != (length > CHUNK_SIZE):
        raise ProtocolError(f"{where}.index: an artifact has one exactly when it is longer than {CHUNK_SIZE} bytes")
    return (
        sha256(fields.get("sha256"), f"{where}.sha256"),
        length,
        sha256(index, f"{where}.index") if index else "",
    )
