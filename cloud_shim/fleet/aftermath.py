"""What a device should run once a deployment failed there. Pure: no database, no broker.

A deployment is a change to what the device has proved to run, its *base*. Several changes may be on their way at once,
as when a device was offline. Those that failed are taken out; the others are asked for again without them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from cloud_shim.fleet import deployments
from device.protocol.deployment import AGENT, Deployment

_T = TypeVar("_T")


class Part(NamedTuple):
    """One thing that a deployment changes: a function with its settings and layer, a model, or the agent."""

    kind: str
    name: str


@dataclass(frozen=True)
class Aftermath:
    """The `guilty` parts of a deployment that failed, and what to ask for in its place; None to leave it as it is."""

    guilty: frozenset[Part]
    wanted: Deployment | None


def changed(before: Deployment, after: Deployment) -> frozenset[Part]:
    """The parts in which two deployments differ."""
    parts = {Part("function", name) for name in {*before.functions, *after.functions}}
    parts |= {Part("model", name) for name in {*before.models, *after.models}}
    parts.add(Part("agent", AGENT))
    return frozenset(part for part in parts if _value(before, part) != _value(after, part))


def version(deployment: Deployment, part: Part) -> int:
    """The release of that part; 0 when it has none."""
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
    """What follows from the failure of `failed`, while the device is asked for `present`, the same or a later one.

    `blamed` is the function or model that the device names, if it does; `uses` are the models of each function. Without
    a name, each change is taken out. `proved`: the agent that was asked for runs, so that it did not fail.
    """
    suspects = {p for p in changed(base, failed) if _value(failed, p) == _value(present, p) != _value(base, p)}
    if proved:
        suspects.discard(Part("agent", AGENT))
    near = _near(blamed, uses) & suspects
    guilty = frozenset(near or suspects)
    return Aftermath(guilty, _without(present, guilty, base) if guilty else None)


def returned(base: Deployment, present: Deployment, proved: bool) -> Deployment:
    """What the device runs, as the next generation. The agent that was asked for stays when it has `proved` itself."""
    parts = changed(base, present) - ({Part("agent", AGENT)} if proved else set())
    return _without(present, parts, base)


def _near(blamed: Part | None, uses: Mapping[str, Collection[str]]) -> set[Part]:
    """The part that is named, and what it is made of: a function fails with a model that it uses."""
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
    """What it is, to compare; None when there is none."""
    if part.kind == "agent":
        return of.agent and of.agent.content()
    ref = (of.functions if part.kind == "function" else of.models).get(part.name)
    if ref is None or part.kind == "model":
        return ref and ref.content()
    layer = of.layers.get(part.name)
    return ref.content(), of.config.get(part.name, {}), layer and layer.content()
