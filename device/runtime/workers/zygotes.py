"""Chooses the zygote for a worker: the plain one, or the one with the inference library warmed.

The plain one lives as long as the runtime. The other costs tens of megabytes: it is made for the first function with a
model and ended with the last. zygote.py starts, asks and replaces a zygote.
"""

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from device.runtime.confinement import probe
from device.runtime.workers.zygote import Fork, Zygote

if TYPE_CHECKING:
    from device.hal.hardware import Hardware


class Zygotes:
    """One zygote for each kind of worker in use."""

    def __init__(self, hardware: "Hardware") -> None:
        self._hardware = hardware
        # Looked for here, where the agent has one thread.
        self._space = probe.namespace()
        self._plain = Zygote(hardware, infers=False, space=self._space)
        self._inferring: Zygote | None = None
        self._changing = threading.Lock()

    @property
    def pid(self) -> int:
        """The plain zygote's process id; 0 while there is none."""
        return self._plain.pid

    @property
    def inferring_pid(self) -> int:
        """The process id of the one for functions with models; 0 while there is none."""
        inferring = self._inferring
        return inferring.pid if inferring else 0

    def fork(self, infers: bool) -> Fork:
        """A new worker; `infers`: it has models. Raises ForkError when the fork fails."""
        return self._for_inference().fork() if infers else self._plain.fork()

    def entrust(self, outputs: Mapping[str, bool]) -> None:
        """See Zygote.entrust. The guardian of the plain zygote minds all outputs: that zygote is always there."""
        self._plain.entrust(outputs)

    def settle(self, infers: bool) -> None:
        """After a change of functions: `infers` tells whether a running one has models."""
        with self._changing:
            unneeded, self._inferring = (None, self._inferring) if infers else (self._inferring, None)
        if unneeded:
            unneeded.close()

    def close(self) -> None:
        """End the zygotes and every worker."""
        self.settle(infers=False)
        self._plain.close()

    def _for_inference(self) -> Zygote:
        with self._changing:
            if self._inferring is None:
                self._inferring = Zygote(self._hardware, infers=True, space=self._space)
            return self._inferring
