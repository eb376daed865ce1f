"""From `deploy` to the first event handled by the new code, against a bare MQTT round trip through the same broker.

Ours begins when the packed bundle is handed to the running shim over HTTP, and ends at the time that the device wrote
into the record of the first event that the new version handled: release, sign, publish, verify in a process of its
own, fetch, unpack, try the handler in a throwaway worker, switch. Shim and device share one clock here. The function
has a timer of 10 ms that goes on over the switch, so waiting for an event adds at most that. The reference is the
least that anything costs that goes through this broker: 100 bytes to it and back, at QoS 1. No deployment can come
near it; the ratio tells how much of a deployment is not the network.
"""

import time

from device.protocol import topics
from tests.bench import home, mqtt
from tests.bench.figures import Figure, spread
from tests.bench.home import RunningHome
from tests.bench.sampling import in_turn

FUNCTION = "stopwatch"
_MANIFEST = f"""\
name = "{FUNCTION}"
handler = "main:handler"
[[triggers]]
type = "timer"
every = "10ms"
"""
_CODE = "def handler(event, context):\n    return {number}\n"


def measure(quick: bool) -> list[Figure]:
    """New code on a device that is at work and has committed what came before."""
    rounds = 1 if quick else 11
    with home.running() as running, mqtt.round_trip(running.broker, _topic()) as round_trip:
        deployments = Deployments(running)
        deployments.next()
        ours, reference = in_turn(deployments.next, round_trip, rounds)
    return [
        Figure(
            "deploy → first event in new code",
            "ms",
            spread(ours, 1e3),
            spread(reference, 1e3),
            "MQTT round trip of 100 bytes through the same broker",
        )
    ]


class Deployments:
    """New versions of one function, one after the other; each answers with its own number."""

    def __init__(self, running: RunningHome) -> None:
        self._running = running
        self._number = 0

    def next(self) -> float:
        """Deploy the next version; gives the seconds until it handled its first event. Returns when it is committed."""
        self._number += 1
        bundle = home.pack(self._running.folder / "bundle", _MANIFEST, _CODE.format(number=self._number))
        started = time.time()
        generation = self._running.deploy(bundle)
        first = self._running.record("telemetry", lambda each: each.get("result") == self._number, FUNCTION)
        self._running.wait_committed(generation)
        return first["time"] - started


def _topic() -> str:
    """One that the shim may use and that nobody listens to."""
    return topics.of_device("home", "nobody", "ack")
