"""The content of a device's next deployment, and whether it is allowed. Pure: it uses neither database nor broker.

These are the checks of the whole deployment: models used by functions, hardware they share, settings. The content of
one bundle is checked at its release (releases/registry.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from boards import Board
from device.errors import NotFoundError, RejectedError
from device.hal import leases
from device.protocol.cloud import PLAIN, RUNTIMES
from device.protocol.deployment import ArtifactRef, Deployment
from device.protocol.manifest import FunctionManifest
from device.protocol.reported import Reported

Settings = Mapping[str, object]
# Machines, as `uname -m` says, for which PyPI has no wheel of onnxruntime.
_WITHOUT_ONNXRUNTIME = ("armv6l", "armv7l", "i686", "mips", "mips64")


@dataclass(frozen=True)
class Trial:
    """How long a new generation must prove itself: `seconds` and `events` of each changed function."""

    seconds: float = 5.0
    events: int = 3


def empty(fleet: str, device: str) -> Deployment:
    """The deployment of a new device: generation 0, with nothing in it."""
    return Deployment(fleet, device, 0, {}, {}, {}, 0, 0)


def with_release(
    previous: Deployment,
    release: ArtifactRef,
    settings: Settings,
    trial: Trial,
    retry: bool = False,
    layer: ArtifactRef | None = None,
) -> Deployment:
    """The next generation: `previous` with `release` put over the release of the same kind and name, if any.

    With `retry` a device tries it once more though the same content failed there before. `settings` are the operator's
    for a function; they replace the previous ones. A model and the agent have none. `layer` has the function's
    dependencies, if it needs some.
    """
    agent = release if release.kind == "agent" else previous.agent
    functions, models, config = dict(previous.functions), dict(previous.models), dict(previous.config)
    layers = dict(previous.layers)
    if release.kind == "function":
        # At the end: a check in order then names the new one as the misfit.
        functions.pop(release.name, None)
        functions[release.name] = release
        config[release.name] = dict(settings)
        layers.pop(release.name, None)
        layers.update({release.name: layer} if layer else {})
    elif release.kind == "model":
        models[release.name] = release
    # Only to be higher than at any attempt before.
    attempt = previous.generation + 1 if retry else 0
    changed = {"functions": functions, "models": models, "config": config, "layers": layers, "agent": agent}
    return _next(previous, trial, **changed, attempt=attempt)


def without(previous: Deployment, kind: str, name: str, trial: Trial) -> Deployment:
    """The next generation: `previous` without its function or model called `name`; NotFoundError when it has none."""
    functions, models, config = dict(previous.functions), dict(previous.models), dict(previous.config)
    layers = {n: ref for n, ref in previous.layers.items() if kind != "function" or n != name}
    present = functions if kind == "function" else models
    if name not in present:
        known = ", ".join(sorted(present)) or "none"
        remedy = "It is a model: `lamplight remove --model`" if name in models else ""
        raise NotFoundError(f"{previous.device} has no {kind} {name!r}", f"its {kind}s are: {known}", remedy)
    del present[name]
    if kind == "function":
        config.pop(name, None)
    return _next(previous, trial, functions=functions, models=models, config=config, layers=layers, attempt=0)


def again(content: Deployment, generation: int) -> Deployment:
    """The content of an earlier deployment as a new generation."""
    return content.replace(generation=generation, attempt=0)


def _next(previous: Deployment, trial: Trial, **changes: object) -> Deployment:
    number = previous.generation + 1
    return previous.replace(generation=number, trial_seconds=trial.seconds, trial_events=trial.events, **changes)


def same_content(one: Deployment, other: Deployment) -> bool:
    """Whether both run the same releases and settings by the same agent. Generation and trial are left aside."""
    return one.content() == other.content()


def kept_settings(manifest: FunctionManifest, previous: Settings) -> dict[str, object]:
    """The previous settings still known to the new release. The others go with the code that read them."""
    return {k: v for k, v in previous.items() if k in manifest.config and _same_kind(manifest.config[k], v)}


def check_settings(manifest: FunctionManifest, settings: Settings) -> None:
    """Raise RejectedError for a setting unknown to the function, or of another type than its default."""
    known = ", ".join(sorted(manifest.config)) or "none"
    for key, value in settings.items():
        if key not in manifest.config:
            raise RejectedError(
                f"{manifest.name} has no setting {key!r}",
                f"its settings are: {known}",
                "look under [config] in function.toml",
            )
        default = manifest.config[key]
        if not _same_kind(default, value):
            raise RejectedError(
                f"The setting {key!r} of {manifest.name} cannot be {value!r:.80}",
                f"it is {_kind(default)}, such as {default!r:.80}; its settings are: {known}",
            )


def check(deployment: Deployment, manifests: Mapping[str, FunctionManifest], board: Board) -> None:
    """Raise RejectedError when a function's model is missing, LeaseError when the board cannot carry the functions."""
    for name in sorted(deployment.functions):
        for model in manifests[name].models:
            if model not in deployment.models:
                raise RejectedError(
                    f"{name} needs the model {model!r}, which {deployment.device} does not have",
                    "function.toml names it under models",
                    f"deploy the model first: `lamplight deploy models/{model} --device {deployment.device}`",
                )
    leases.check(board, [manifests[name] for name in deployment.functions])


def check_models_run(deployment: Deployment, board: Board, report: Reported | None) -> None:
    """Raise RejectedError when there is a model in the deployment and the device is unable to run any.

    `report` is the device's last one. While there is none, or it names no machine, the device's board decides.
    """
    machine = report.platform.machine if report and report.platform else board.machine.architecture
    if not deployment.models or (machine not in _WITHOUT_ONNXRUNTIME and (report is None or report.ai)):
        return
    why, remedy = (
        "onnxruntime is not installed on it",
        "install it beside the agent there: `pip install onnxruntime numpy`",
    )
    if machine in _WITHOUT_ONNXRUNTIME:
        why, remedy = f"there is no onnxruntime for {machine}", "use a 64-bit board, or a function without a model"
    raise RejectedError(f"{deployment.device} cannot run ONNX models", why, remedy)


def check_runtime(device: str, function: FunctionManifest, report: Reported | None) -> None:
    """Raise RejectedError when the device's agent is too old for the function's runtime, or for its variables.

    `report` is the device's last one; while there is none, the device itself decides.
    """
    runs = report.runtimes or (PLAIN,) if report else RUNTIMES
    if function.runtime in runs and (report is None or report.runtimes or not function.environment):
        return
    unknown = f"the runtime {function.runtime!r}" if function.runtime not in runs else "[environment]"
    raise RejectedError(
        f"{device}'s agent is older than {function.name} needs",
        f"it does not know {unknown} in function.toml",
        f"upgrade it first: `lamplight upgrade {device}`",
    )


def check_unused(deployment: Deployment, manifests: Mapping[str, FunctionManifest], model: str) -> None:
    """Raise RejectedError when a function still needs `model`, now gone from the deployment."""
    users = sorted(name for name in deployment.functions if model in manifests[name].models)
    if users:
        raise RejectedError(
            f"The model {model!r} cannot be removed from {deployment.device}",
            f"{', '.join(users)} {'needs' if len(users) == 1 else 'need'} it",
            f"remove the function first: `lamplight remove {deployment.device}/{users[0]}`",
        )


def _same_kind(default: object, value: object) -> bool:
    return _kind(default) == _kind(value)


def _kind(value: object) -> str:
    kinds: dict[type[object], str] = {bool: "true or false", int: "a number", float: "a number", str: "a text"}
    return kinds.get(type(value), "a list" if isinstance(value, list) else "a table")
