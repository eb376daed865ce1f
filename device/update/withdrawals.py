"""What the list of withdrawn releases means for a deployment on this board. Pure.

A withdrawn release is never installed. One that is installed stops, and its outputs go to their safe level, unless its
withdrawal lets it run: then it goes on until another takes its place.
"""

from collections.abc import Sequence

from device.errors import RejectedError
from device.protocol import withdrawn
from device.protocol.deployment import ArtifactRef, Deployment
from device.protocol.withdrawn import Withdrawal


class WithdrawnError(RejectedError):
    """The release was withdrawn."""

    def __init__(self, ref: ArtifactRef, withdrawal: Withdrawal) -> None:
        super().__init__(
            f"The {ref.kind} {ref.name} version {ref.version} was withdrawn",
            withdrawal.because,
            "Deploy another version, or remove it",
        )
        self.part = f"{ref.kind}s/{ref.name}"


def check(ref: ArtifactRef, known: Sequence[Withdrawal], active: Deployment | None) -> None:
    """Raise WithdrawnError unless this artifact may run on a board with the `active` deployment."""
    withdrawal = withdrawn.of(list(known), ref)
    if withdrawal and not (withdrawal.lets_run and ref.digest in _installed(active)):
        raise WithdrawnError(ref, withdrawal)


def refusal(
    desired: Deployment, known: Sequence[Withdrawal], active: Deployment | None, other_agent: bool = False
) -> WithdrawnError | None:
    """The reason to refuse a deployment that would install a withdrawn release; None when it installs none.

    An installed one is no reason: it is carried along, stopped, so that the other functions can be changed meanwhile.
    `other_agent`: the deployment replaces the agent.
    """
    installed = _installed(active)
    new = [ref for ref in desired.parts() if ref.digest not in installed]
    new += [desired.agent] if desired.agent and other_agent else []
    for ref in new:
        withdrawal = withdrawn.of(list(known), ref)
        if withdrawal:
            return WithdrawnError(ref, withdrawal)
    return None


def concerned(deployment: Deployment | None, known: Sequence[Withdrawal]) -> bool:
    """Whether a part of the deployment is withdrawn, the agent left aside."""
    return deployment is not None and any(withdrawn.of(list(known), ref) for ref in deployment.parts())


def _installed(active: Deployment | None) -> set[str]:
    return {ref.digest for ref in active.parts()} if active else set()
