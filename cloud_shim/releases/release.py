"""One release, as every part of the shim passes it on. Plain data."""

import json
from dataclasses import dataclass, field

from device.protocol import manifest
from device.protocol.deployment import ArtifactRef, Patch
from device.protocol.manifest import FunctionManifest


@dataclass(frozen=True)
class Release:
    """An immutable, numbered artifact.

    `kind` is "function", "model" or "agent", `length` in bytes, `index` the digest of its chunk index or "" when it is
    one chunk; `manifest_json` is its function.toml, model.toml or runtime.toml as JSON; `created` in seconds since
    1970; `patches` make it from the releases before it. `by` names its maker, "" where unknown.
    """

    kind: str
    name: str
    version: int
    sha256: str
    length: int
    index: str
    manifest_json: str
    created: float
    patches: tuple[Patch, ...] = field(default=(), compare=False)
    by: str = field(default="", compare=False)

    @property
    def ref(self) -> ArtifactRef:
        """How a deployment document names it."""
        return ArtifactRef(self.kind, self.name, self.version, self.sha256, self.length, self.index, self.patches)

    @property
    def function(self) -> FunctionManifest:
        """A function's manifest; it was checked when the release was made."""
        return manifest.function(json.loads(self.manifest_json))
