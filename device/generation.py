"""One installed generation: the functions and models, where they lie on disk, and how they are configured.

The update engine makes it, the runtime runs it. It is plain data, free of state and I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from device.protocol.manifest import FunctionManifest
from device.protocol.model_manifest import ModelManifest


@dataclass(frozen=True)
class InstalledModel:
    """An unpacked, verified model. `path` is the folder with model.onnx, model.toml and golden.json."""

    name: str
    version: int
    digest: str
    path: Path
    manifest: ModelManifest


@dataclass(frozen=True)
class InstalledLayer:
    """A function's dependencies, unpacked and verified. `path` goes on its import path."""

    digest: str
    path: Path


@dataclass(frozen=True)
class InstalledFunction:
    """An unpacked, verified bundle. `path` is its folder; `config` is the manifest's with the operator's over it.

    `models` are the models it uses, by name: a new digest of one, or of its layer, makes it a changed function.
    """

    name: str
    version: int
    digest: str
    path: Path
    manifest: FunctionManifest
    config: Mapping[str, object]
    models: Mapping[str, InstalledModel] = field(default_factory=dict[str, InstalledModel])
    layer: InstalledLayer | None = None

    def same_as(self, other: "InstalledFunction | None") -> bool:
        """Whether a worker running `other` may go on running for this one."""
        return (
            other is not None
            and self.digest == other.digest
            and self.config == other.config
            and (self.layer and self.layer.digest) == (other.layer and other.layer.digest)
            and {n: m.digest for n, m in self.models.items()} == {n: m.digest for n, m in other.models.items()}
        )


@dataclass(frozen=True)
class HeldFunction:
    """A function unable to start on this board now, and the `reason`. The others run meanwhile."""

    version: int
    digest: str
    reason: str


@dataclass(frozen=True)
class Generation:
    """Everything installed by one deployment. Number 0 is the empty generation of a new board.

    `proven` are the functions that ran here before as they are: their trouble is no fault of the generation. A proven
    function unable to start is in `held` instead of `functions`.
    """

    number: int
    functions: Mapping[str, InstalledFunction] = field(default_factory=dict[str, InstalledFunction])
    models: Mapping[str, InstalledModel] = field(default_factory=dict[str, InstalledModel])
    proven: frozenset[str] = frozenset()
    held: Mapping[str, HeldFunction] = field(default_factory=dict[str, HeldFunction])

    def without(self, reasons: Mapping[str, str]) -> "Generation":
        """The same with these functions held back, each for its reason."""
        held = {n: HeldFunction(self.functions[n].version, self.functions[n].digest, why) for n, why in reasons.items()}
        functions = {name: each for name, each in self.functions.items() if name not in held}
        return replace(self, functions=functions, held={**self.held, **held})
