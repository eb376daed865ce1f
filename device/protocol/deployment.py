"""The deployment document: which releases one device runs, with what configuration.

It travels inside `desired` as a signed target (see update/trust.py); this file only
says what a well-formed one is. It does not decide whether to believe it.
"""

import json

from .chunks import CHUNK_SIZE, MAX_ARTIFACT
from .errors import ProtocolError
from .fields import integer, name, number, only, plain, sha256, table, text

FORMAT = 1
MAX_GENERATION = 2**53 - 1
# The name of every release of the agent: a fleet has one.
AGENT = "lamplight"


class ArtifactRef:
    """One released artifact: what it is, and which bytes.

    `kind` is "function", "model" or "agent", `version` its release number, `length` in bytes; `index` is the
    digest of its chunk index, or "" when it fits one chunk.
    """

    def __init__(self, kind: str, name: str, version: int, digest: str, length: int, index: str) -> None:
        self.kind = kind
        self.name = name
        self.version = version
        self.digest = digest
        self.length = length
        self.index = index

    @property
    def target(self) -> str:
        """Its path as a target in both repositories' metadata."""
        return f"{self.kind}s/{self.name}/{self.version}.tar"

    def to_json(self) -> dict[str, object]:
        """The JSON form, without the name that stands as its key."""
        return {"version": self.version, "sha256": self.digest, "length": self.length, "index": self.index}


class Deployment:
    """What one device should run.

    `config` holds the operator's settings for each function; they go over the manifest's own.
    `agent` is the release of the agent itself, None for the one that the board was made with.
    A trial lasts until `trial_seconds` have passed *and* `trial_events` were handled by each changed
    function that gets any.
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
        agent: ArtifactRef | None = None,
    ) -> None:
        self.fleet = fleet
        self.device = device
        self.generation = generation
        self.functions = functions
        self.models = models
        self.config = config
        self.trial_seconds = trial_seconds
        self.trial_events = trial_events
        self.agent = agent

    def artifacts(self) -> list[ArtifactRef]:
        """Every artifact it names: functions, models, then the agent, each group by name."""
        return [*self.parts(), *([self.agent] if self.agent else [])]

    def parts(self) -> list[ArtifactRef]:
        """The artifacts that a generation runs: all but the agent."""
        return [*(self.functions[n] for n in sorted(self.functions)), *(self.models[n] for n in sorted(self.models))]

    def to_json(self) -> dict[str, object]:
        """The JSON form; `parse` is its inverse."""
        agent = {"agent": self.agent.to_json()} if self.agent else {}
        return {
            "format": FORMAT,
            "fleet": self.fleet,
            "device": self.device,
            "generation": self.generation,
            "functions": {n: {**ref.to_json(), "config": self.config.get(n, {})} for n, ref in self.functions.items()},
            "models": {n: ref.to_json() for n, ref in self.models.items()},
            "trial": {"seconds": self.trial_seconds, "events": self.trial_events},
            **agent,
        }

    def encode(self) -> bytes:
        """The bytes that are signed: JSON with sorted keys."""
        return json.dumps(self.to_json(), sort_keys=True, separators=(",", ":")).encode()


def decode(data: bytes) -> Deployment:
    """The deployment in `data`; raises ProtocolError naming the field that is wrong."""
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
    only(fields, ("format", "fleet", "device", "generation", "functions", "models", "trial", "agent"), "deployment")
    if fields.get("format") != FORMAT:
        raise ProtocolError(f"deployment.format: {fields.get('format')!r}; this agent reads format {FORMAT}")
    functions = table(fields.get("functions"), "deployment.functions")
    trial = table(fields.get("trial"), "deployment.trial")
    only(trial, ("seconds", "events"), "deployment.trial")
    return Deployment(
        fleet=name(fields.get("fleet"), "deployment.fleet"),
        device=name(fields.get("device"), "deployment.device"),
        generation=integer(fields, "generation", "deployment", 1, MAX_GENERATION),
        functions=_refs("function", functions, ("config",)),
        models=_refs("model", table(fields.get("models"), "deployment.models"), ()),
        config={
            n: table(table(f, n).get("config", {}), f"deployment.functions.{n}.config") for n, f in functions.items()
        },
        trial_seconds=_seconds(trial),
        trial_events=integer(trial, "events", "deployment.trial", 0, 1_000_000),
        agent=_ref("agent", AGENT, fields["agent"], "deployment.agent", ()) if "agent" in fields else None,
    )


def _seconds(trial: dict[str, object]) -> float:
    seconds = number(trial, "seconds", "deployment.trial")
    if not 0 <= seconds <= 7 * 86400:
        raise ProtocolError(f"deployment.trial.seconds: {seconds} is not between 0 and a week")
    return seconds


def _refs(kind: str, group: dict[str, object], extra: tuple[str, ...]) -> dict[str, ArtifactRef]:
    where = f"deployment.{kind}s"
    return {name(n, where): _ref(kind, n, value, f"{where}.{n}", extra) for n, value in group.items()}


def _ref(kind: str, key: str, value: object, where: str, extra: tuple[str, ...]) -> ArtifactRef:
    fields = table(value, where)
    only(fields, ("version", "sha256", "length", "index", *extra), where)
    length = integer(fields, "length", where, 1, MAX_ARTIFACT)
    index = text(fields, "index", where, "")
    if bool(index) != (length > CHUNK_SIZE):
        raise ProtocolError(f"{where}.index: an artifact has one exactly when it is longer than {CHUNK_SIZE} bytes")
    return ArtifactRef(
        kind=kind,
        name=key,
        version=integer(fields, "version", where, 1, MAX_GENERATION),
        digest=sha256(fields.get("sha256"), f"{where}.sha256"),
        length=length,
        index=sha256(index, f"{where}.index") if index else "",
    )
