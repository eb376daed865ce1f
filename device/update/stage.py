"""From a deployment whose artifacts are on disk to the Generation that the runtime can run.

Checks that the parts fit each other: names, settings, models. It fetches nothing, switches nothing and runs nothing.
"""

from collections.abc import Collection

from device.artifact import bundle
from device.artifact import layer as layer_file
from device.errors import BadArtifactError, LamplightError, RejectedError
from device.generation import Generation, InstalledFunction, InstalledLayer, InstalledModel
from device.infer import files
from device.protocol.deployment import ArtifactRef, Deployment
from device.protocol.layer import SITE
from device.update.store import Store


def generation(deployment: Deployment, store: Store) -> Generation:
    """The generation whose trees are all in the store.

    Raises BadArtifactError when a tree is not what its release says, RejectedError when the parts do not fit.
    """
    models = {name: _model(ref, store) for name, ref in deployment.models.items()}
    functions = {
        name: _function(ref, deployment.config.get(name, {}), models, _layer(deployment.layers.get(name), store), store)
        for name, ref in deployment.functions.items()
    }
    return Generation(deployment.generation, functions, models)


def check_code(new: Generation, known: Collection[str]) -> None:
    """Raise BadArtifactError for a function with code that cannot be run, unless its digest is in `known`: it ran here.

    A later version of the agent may be stricter than the one that took a function in. What a board runs must not end
    for that, and not keep the board from anything new.
    """
    for function in new.functions.values():
        if function.digest not in known:
            bundle.check_code(function.path, function.manifest)


def lenient(deployment: Deployment | None, store: Store) -> Generation:
    """As `generation`, but one that cannot be read any more counts as nothing: a new one is compared with it."""
    try:
        return generation(deployment, store) if deployment else Generation(0)
    except LamplightError:
        return Generation(0)


def whole(deployment: Deployment, store: Store) -> bool:
    """Whether every tree of the deployment is on disk, byte for byte."""
    return all(store.check(ref.digest) for ref in deployment.parts())


def _model(ref: ArtifactRef, store: Store) -> InstalledModel:
    path = store.tree(ref.digest)
    manifest = files.read_manifest(path)
    _check_name(ref, manifest.name)
    return InstalledModel(ref.name, ref.version, ref.digest, path, manifest)


def _layer(ref: ArtifactRef | None, store: Store) -> InstalledLayer | None:
    if ref is None:
        return None
    path = store.tree(ref.digest)
    manifest = layer_file.read(path)
    _check_name(ref, manifest.name)
    layer_file.check(manifest)
    return InstalledLayer(ref.digest, path / SITE)


def _function(
    ref: ArtifactRef,
    config: dict[str, object],
    models: dict[str, InstalledModel],
    layer: InstalledLayer | None,
    store: Store,
) -> InstalledFunction:
    path = store.tree(ref.digest)
    manifest = bundle.declared(path)
    _check_name(ref, manifest.name)
    for name in manifest.models:
        if name not in models:
            raise RejectedError(
                f"{ref.name} uses the model {name!r}, which this device is not given", "", "Deploy the model first"
            )
    return InstalledFunction(
        name=ref.name,
        version=ref.version,
        digest=ref.digest,
        path=path,
        manifest=manifest,
        config=bundle.settings(manifest, config),
        models={name: models[name] for name in manifest.models},
        layer=layer,
    )


def _check_name(ref: ArtifactRef, name: str) -> None:
    if ref.name != name:
        raise BadArtifactError(f"The {ref.kind} released as {ref.name!r} calls itself {name!r}")
