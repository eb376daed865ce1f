"""The facts about a function that its cloud's context and variables tell."""

from dataclasses import dataclass, field

from device.protocol.cloud import PLAIN
from device.protocol.manifest import FunctionManifest


@dataclass(frozen=True)
class Facts:
    """`handler` is named as the cloud does it; `path` is the bundle's folder, `memory` in bytes, `timeout` in seconds.

    `payload`, `messages` and `routes` are those of function.toml's `[cloud]`.
    """

    runtime: str
    function: str
    version: int
    handler: str
    path: str
    memory: int
    timeout: float
    payload: str = ""
    messages: str = ""
    routes: list[str] = field(default_factory=list[str])
    environment: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def folder(self) -> str:
        """The folder to start in: a cloud's is that of the code; "" for the scratch folder, a plain function's."""
        return "" if self.runtime == PLAIN else self.path

    @property
    def megabytes(self) -> int:
        """Its memory in MiB."""
        return self.memory // (1024 * 1024)

    def variable(self, name: str, default: str) -> str:
        """A variable of the function's own `[environment]`, or `default`."""
        return self.environment.get(name, default)


def of(manifest: FunctionManifest, version: int, path: str) -> Facts:
    """The facts about a release, unpacked in the folder `path`."""
    return Facts(
        runtime=manifest.runtime,
        function=manifest.name,
        version=version,
        handler=f"{manifest.module}.{manifest.attribute}",
        path=path,
        memory=manifest.memory,
        timeout=manifest.timeout,
        payload=manifest.cloud.payload,
        messages=manifest.cloud.messages,
        routes=list(manifest.cloud.routes),
        environment=dict(manifest.environment),
    )
