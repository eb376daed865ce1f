"""The deployment a device should run once another has failed there. Pure: it uses neither database nor broker.

A deployment is a change to the *base*, the content a device has proved to run. Several changes may be on their way at
once, as when a device was offline. The failed ones are taken out; the others are asked for again without them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from cloud_shim.fleet import deployments
from device.protocol.deployment import AGENT, Deployment

_T = TypeVar("_T")


class Part(NamedTuple):
    """One thing a deployment can change: a function with its settings and layer, a model, or the agent."""

    kind: str
    name: str


@dataclass(frozen=True)
class Aftermath:
    """The `guilty` parts of a failed deployment, and the deployment `wanted` in its place; None to leave it."""

    guilty: frozenset[Part]
    wanted: Deployment | None


def changed(before: Deployment, after: Deployment) -> frozenset[Part]:
    """The parts that differ between two deployments."""
    parts = {Part("function", name) for name in {*before.functions, *after.functions}}
    parts |= {Part("model", name) for name in {*before.models, *after.models}}
    parts.add(Part("agent", AGENT))
    return frozenset(part for part in parts if _value(before, part) != _value(after, part))


def version(deployment: Deployment, part: Part) -> int:
    """The release of this part; 0 when it has none."""
    group = {"function": deployment.functions, "model": deployment.models}.get(part.kind)
    ref = deployment.agent if group is None else group.get(part.name)
    return ref.version if ref else 0


def after(
    base: Deployment,
    failed: Deployment,
    present: Deployment,
    blamed: Part | None,
    uses: Mapping[str, Collection[str]],
    proved: bool = False,
) -> Aftermath:
    """The consequence of the failure of `failed`, while the device is asked for `present`, the same or a later one.

    `blamed` is the function or model named by the device, if any; `uses` are the models of each function. Without a
    name, each change is taken out. `proved`: the agent asked for runs, so it is innocent.
    """
    suspects = {p for p in changed(base, failed) if _value(failed, p) == _value(present, p) != _value(base, p)}
    if proved:
        suspects.discard(Part("agent", AGENT))
    near = _near(blamed, uses) & suspects
    guilty = frozenset(near or suspects)
    return Aftermath(guilty, _without(present, guilty, base) if guilty else None)


def returned(base: Deployment, present: Deployment, proved: bool) -> Deployment:
    """The content the device runs now, as the next generation, with the agent asked for when it has `proved` itself."""
    parts = changed(base, present) - ({Part("agent", AGENT)} if proved else set())
    return _without(present, parts, base)


def _near(blamed: Part | None, uses: Mapping[str, Collection[str]]) -> set[Part]:
    """The part named and the models it uses: a function fails with its models."""
    if blamed is None:
        return set()
    models = uses.get(blamed.name, ()) if blamed.kind == "function" else ()
    return {blamed, *(Part("model", name) for name in models)}


def _without(present: Deployment, parts: Collection[Part], base: Deployment) -> Deployment:
    """The next generation: `present` with these parts as in `base`."""
    functions, models = dict(present.functions), dict(present.models)
    config, layers, agent = dict(present.config), dict(present.layers), present.agent
    for kind, name in parts:
        if kind == "function":
            _put(functions, name, base.functions)
            _put(config, name, base.config)
            _put(layers, name, base.layers)
        elif kind == "model":
            _put(models, name, base.models)
        else:
            agent = base.agent
    number = present.generation + 1
    changes = {"functions": functions, "models": models, "config": config, "layers": layers, "agent": agent}
    new = present.replace(generation=number, attempt=0, **changes)
    retried = present.attempt and not deployments.same_content(new, base)
    return new.replace(attempt=number) if retried else new


def _put(group: dict[str, _T], name: str, before: Mapping[str, _T]) -> None:
    group.pop(name, None)
    if name in before:
        group[name] = before[name]


def _value(of: Deployment, part: Part) -> object:
    """The part's content, to compare; None when it is absent."""
    if part.kind == "agent":
        return of.agent and of.agent.content()
    ref = (of.functions if part.kind == "function" else of.models).get(part.name)
    if ref is None or part.kind == "model":
        return ref and ref.content()
    layer = of.layers.get(part.name)
    return ref.content(), of.config.get(part.name, {}), layer and layer.content()
