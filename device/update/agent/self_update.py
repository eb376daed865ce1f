"""The agent's own part in being replaced: installs another version of itself and asks the launcher to start it.

A deployment with another version of the agent is gone through twice: the old version fetches the new one and hands
over; the new one, once it has proved itself, installs the functions. So only one of the two is ever on trial. The
launcher does the starting and keeps all state: the version on trial, and the failed ones.
"""

from collections.abc import Callable, Collection
from pathlib import Path

from device import durable
from device.artifact import agent, archive
from device.errors import BadArtifactError
from device.launcher.ledger import BUILT_IN, Note
from device.launcher.line import Line, Told
from device.protocol.deployment import Deployment
from device.update.reconcile import Install, Nothing, Plan, Reject


def version_of(deployment: Deployment) -> str:
    """The deployment's version of the agent."""
    return deployment.agent.digest if deployment.agent else BUILT_IN


def plan(told: Told, deployment: Deployment) -> Plan | None:
    """The step to take with the agent for this deployment; None when the right version runs."""
    wanted = version_of(deployment)
    if wanted == told.running:
        return None
    failure = told.failed.get(wanted)
    if failure is not None and generation(failure.note) == deployment.generation:
        return Nothing()
    # There is only one built-in version, so it may be tried again.
    if failure is not None and wanted != BUILT_IN:
        return Reject(
            f"this version of the agent failed as generation {generation(failure.note)}: {failure.reason}. "
            "`lamplight rollback` takes it out of the deployment"
        )
    return Install((deployment.agent,) if deployment.agent else ())


def generation(note: Note) -> int:
    """The generation in the note of a trial; 0 when the note gives none."""
    number = note.get("generation")
    return number if isinstance(number, int) else 0


class SelfUpdate:
    """Versions of the agent lie in `folder`; `end` ends this one, for the launcher to start the next."""

    def __init__(self, folder: Path, line: Line, end: Callable[[], None]) -> None:
        self._folder = folder
        self._line = line
        self._end = end

    def plan(self, deployment: Deployment) -> Plan | None:
        """As the function `plan`, for the launcher's last word."""
        return plan(self._line.told, deployment)

    def failures(self) -> dict[int, str]:
        """Why generations were reverted because their version of the agent failed."""
        return {generation(each.note): f"the agent: {each.reason}" for each in self._line.told.failed.values()}

    def trial(self) -> int:
        """The generation of this version of the agent while it is on trial; 0 for none."""
        told = self._line.told
        return generation(told.note) if told.trial else 0

    @property
    def safe(self) -> bool:
        """Whether the board is in safe mode: the installed functions stay stopped."""
        return bool(self._line.told.safe)

    def begin_afresh(self) -> None:
        """Something new is to run: it gets all starts, and safe mode ends. Raises LamplightError when it cannot."""
        self._line.begin_afresh()

    def hand_over(self, deployment: Deployment, artifact: Path | None, running: Collection[str]) -> None:
        """Install the version in the file `artifact` (None for the built-in one) and end, for it to be started.

        `running` are the functions to have running for its proof. Raises RejectedError when it cannot run here,
        LamplightError when the launcher refuses it, OSError; this version goes on then.
        """
        if artifact is not None:
            self._install(artifact, version_of(deployment))
        self._line.ask(version_of(deployment), {"generation": deployment.generation, "functions": sorted(running)})
        self._end()

    def _install(self, artifact: Path, version: str) -> None:
        durable.make_folder(self._folder)
        for path in self._folder.iterdir():
            # At most two: this one, and the next one.
            if path.is_dir() and path.name != self._line.told.running:
                durable.remove(path)
        tree = self._folder / version
        archive.unpack(artifact, tree)
        try:
            if archive.digest(tree) != version:
                raise BadArtifactError("The agent was not packed by Lamplight", "", "Pack it with `lamplight upgrade`")
            agent.check(agent.read(tree))
        except BaseException:
            durable.discard(tree)
            raise
