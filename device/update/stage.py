"""From a deployment, its artifacts on disk, to a Generation for the runtime.

Checks that the parts fit each other: names, settings, models. A function is held back, and it alone, if it has run here
unchanged and fails these checks now. Fetching, switching and running are done elsewhere.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TypeVar

from device.artifact import bundle, inspection
from device.artifact import layer as layer_file
from device.errors import BadArtifactError, RejectedError, about
from device.generation import Generation, HeldFunction, InstalledFunction, InstalledLayer, InstalledModel
from device.infer import files
from device.protocol.deployment import ArtifactRef, Deployment
from device.protocol.layer import SITE
from device.protocol.withdrawn import Withdrawal
from device.update import withdrawals
from device.update.store import Store

_T = TypeVar("_T")
_Models = Mapping[str, InstalledModel | Exception]


class DamagedError(RejectedError):
    """It is damaged on disk, or missing."""


def generation(
    deployment: Deployment,
    store: Store,
    active: Deployment | None = None,
    damaged: Collection[str] = (),
    withdrawn: Sequence[Withdrawal] = (),
) -> Generation:
    """The generation of the trees in the store, all but those `damaged` and those `withdrawn`.

    Raises BadArtifactError when a tree contradicts its release, RejectedError when the parts do not fit, DamagedError,
    WithdrawnError. A function that is the same in the `active` deployment is held back instead of raising.
    """
    stage = _Stage(deployment, store, damaged, active, withdrawn)
    changed = _changed(deployment.models, active.models if active else {})
    models: _Models = {name: stage.tried(ref, partial(_model, ref, store)) for name, ref in deployment.models.items()}
    for name, model in models.items():
        if isinstance(model, Exception) and name in changed:
            raise model
    proven = frozenset(n for n in _same(deployment, active) if not changed & stage.uses(deployment.functions[n]))
    functions = {n: stage.tried(ref, partial(stage.function, n, models)) for n, ref in deployment.functions.items()}
    held: dict[str, HeldFunction] = {}
    for name, each in functions.items():
        if isinstance(each, Exception):
            if name not in proven:
                raise each
            ref = deployment.functions[name]
            held[name] = HeldFunction(ref.version, ref.digest, str(each) or repr(each))
    return Generation(
        deployment.generation,
        {name: each for name, each in functions.items() if isinstance(each, InstalledFunction)},
        {name: each for name, each in models.items() if isinstance(each, InstalledModel)},
        proven,
        held,
    )


class _Stage:
    """Where the parts of one deployment are read from."""

    def __init__(
        self,
        deployment: Deployment,
        store: Store,
        damaged: Collection[str],
        active: Deployment | None,
        withdrawn: Sequence[Withdrawal],
    ) -> None:
        self._deployment = deployment
        self._store = store
        self._damaged = damaged
        self._active = active
        self._withdrawn = withdrawn

    def tried(self, ref: ArtifactRef, make: Callable[[], _T]) -> _T | Exception:
        """The result of `make` for this artifact, or why it failed: any failure holds back this one alone."""
        try:
            with about(f"{ref.kind}s/{ref.name}"):
                self._check(ref)
                return make()
        except Exception as error:
            return error

    def uses(self, ref: ArtifactRef) -> set[str]:
        """The models in the function's manifest; empty when it is unreadable."""
        try:
            return set(bundle.declared(self._store.tree(ref.digest)).models)
        except Exception:
            return set()

    def function(self, name: str, models: _Models) -> InstalledFunction:
        """The function, with its models and its layer."""
        ref = self._deployment.functions[name]
        path = self._store.tree(ref.digest)
        manifest = bundle.declared(path)
        _check_name(ref, manifest.name)
        return InstalledFunction(
            name=ref.name,
            version=ref.version,
            digest=ref.digest,
            path=path,
            manifest=manifest,
            config=bundle.settings(manifest, self._deployment.config.get(name, {})),
            models={each: _of(name, each, models) for each in manifest.models},
            layer=self._layer(self._deployment.layers.get(name)),
        )

    def _layer(self, ref: ArtifactRef | None) -> InstalledLayer | None:
        if ref is None:
            return None
        self._check(ref)
        path = self._store.tree(ref.digest)
        manifest = layer_file.read(path)
        _check_name(ref, manifest.name)
        layer_file.check(manifest)
        return InstalledLayer(ref.digest, path / SITE)

    def _check(self, ref: ArtifactRef) -> None:
        withdrawals.check(ref, self._withdrawn, self._active)
        if ref.digest in self._damaged:
            raise DamagedError(f"The {ref.kind} {ref.name} version {ref.version} is damaged on disk")


def check_code(new: Generation, known: Collection[str]) -> None:
    """Raise BadArtifactError for a function with unrunnable code, unless its digest is in `known`: it ran here.

    A process apart looks at each.

    A later version of the agent may be stricter than the one before. The board's running functions must survive this,
    and leave the way open to new ones.
    """
    for function in new.functions.values():
        if function.digest not in known:
            with about(f"functions/{function.name}"):
                inspection.inspect(function.path)


def damaged(deployment: Deployment, store: Store) -> set[str]:
    """The digests of the deployment's artifacts missing from the disk or differing there by any byte."""
    return {ref.digest for ref in deployment.parts() if not store.check(ref.digest)}


def whole(deployment: Deployment, store: Store) -> bool:
    """Whether every tree of the deployment is on disk, byte for byte."""
    return not damaged(deployment, store)


def _same(deployment: Deployment, active: Deployment | None) -> set[str]:
    """The functions unchanged from the active deployment: release, settings and layer."""
    if active is None:
        return set()
    changed = _changed(deployment.functions, active.functions) | _changed(deployment.layers, active.layers)
    config = {name for name in deployment.functions if deployment.config.get(name, {}) != active.config.get(name, {})}
    return set(deployment.functions) - changed - config


def _changed(now: Mapping[str, ArtifactRef], before: Mapping[str, ArtifactRef]) -> set[str]:
    """The names that stand for other bytes in the two, or are missing from one."""
    digests = {name: ref.digest for name, ref in before.items()}
    return {name for name in {*now, *before} if name not in now or digests.get(name) != now[name].digest}


def _model(ref: ArtifactRef, store: Store) -> InstalledModel:
    path = store.tree(ref.digest)
    manifest = files.read_manifest(path)
    _check_name(ref, manifest.name)
    return InstalledModel(ref.name, ref.version, ref.digest, path, manifest)


def _of(function: str, name: str, models: _Models) -> InstalledModel:
    model = models.get(name)
    if model is None:
        raise RejectedError(
            f"{function} uses the model {name!r}, which this device is not given", "", "Deploy the model first"
        )
    if isinstance(model, Exception):
        raise RejectedError(f"{function} uses the model {name!r}", str(model))
    return model


def _check_name(ref: ArtifactRef, name: str) -> None:
    if ref.name != name:
        raise BadArtifactError(f"The {ref.kind} released as {ref.name!r} calls itself {name!r}")
