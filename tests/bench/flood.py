"""A device's deployment and records while another device's credential floods, against the same without a flood.

The flood begins with the deployment, by a credential of its own each time, and goes on for as long as the broker lets
it: until the shim has noticed it and keeps the credential out. Each kind of flood (flooder.py) has its turn. A
deployment is measured as in deploy.py. A record's time is from the device's clock in it to the shim's when it was
stored; a sample is the median of the records of one deployment's time. Both sides are the same device, broker and
shim: the ratio is the flood's doing.
"""

import contextlib
import statistics
import subprocess
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from tests.bench import home
from tests.bench.deploy import FUNCTION, Deployments
from tests.bench.figures import Figure, spread
from tests.bench.flooder import KINDS
from tests.bench.home import RunningHome

GOAL = 2.0
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Sample:
    """Seconds of one deployment, and of a record meanwhile."""

    deployment: float
    record: float


def measure(quick: bool) -> list[Figure]:
    """Each kind of flood, as many times as there are rounds."""
    rounds, kinds = (1, list(KINDS)[:1]) if quick else (5, list(KINDS))
    figures: list[Figure] = []
    with home.running() as running:
        deployments = Deployments(running)
        deployments.next()
        for kind in kinds:
            flooded: list[Sample] = []
            usual: list[Sample] = []
            for number in range(rounds):
                with _flooding(running, f"{kind}-{number}", kind):
                    flooded.append(_sample(running, deployments))
                # Whatever the flood has left in queues is gone after this.
                deployments.next()
                usual.append(_sample(running, deployments))
            figures += _figures(kind, flooded, usual)
    return figures


def _figures(kind: str, flooded: list[Sample], usual: list[Sample]) -> list[Figure]:
    beside, against = f"beside a flood of {kind}", "the same without the flood"

    def figure(what: str, of: Callable[[Sample], float]) -> Figure:
        ours, reference = (spread([of(each) for each in side], 1e3) for side in (flooded, usual))
        return Figure(f"{what}, {beside}", "ms", ours, reference, against, GOAL)

    return [
        figure("deploy → first event in new code", lambda each: each.deployment),
        figure("record → stored", lambda each: each.record),
    ]


def _sample(running: RunningHome, deployments: Deployments) -> Sample:
    after = running.last_record(FUNCTION)
    seconds = deployments.next()
    lags = [each["received"] - each["time"] for each in running.records_after(FUNCTION, after)]
    return Sample(seconds, statistics.median(lags))


@contextlib.contextmanager
def _flooding(running: RunningHome, device: str, kind: str) -> Generator[None]:
    password, before = running.provision(device), running.floods()
    arguments = [str(running.broker.port), "home", device, password, kind]
    command = [sys.executable, "-m", "tests.bench.flooder", *arguments]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE) as flooder:
        try:
            assert flooder.stdout is not None, "it is piped"
            flooder.stdout.readline()
            yield
            running.wait_noticed(before)
        finally:
            flooder.kill()
            running.revoke(device)
