"""The runtime's patience and bounds, in one place."""

from dataclasses import dataclass, field

from device.runtime.backoff import Backoff


@dataclass(frozen=True)
class Policy:
    """The runtime's limits. Durations are in seconds.

    `warm` bounds importing a handler and loading its models, `go` opening its hardware, `stop` leaving when told to; a
    slower worker is ended. An output on its way to its safe level may be busy for `rest`: a killed worker takes a
    moment to be gone. A call waits `call` seconds for its turn beside the function's own timeout. A function may log
    `lines` a second, and `burst` at once, and publish as often to the cloud; to the other functions of the fleet it may
    send `messages` a second, and twice as many at once. `network` grants the network to the functions that ask for it.
    """

    warm: float = 30.0
    go: float = 10.0
    stop: float = 2.0
    rest: float = 5.0
    call: float = 10.0
    lines: float = 20.0
    burst: int = 200
    messages: float = 1000.0
    network: bool = False
    backoff: Backoff = field(default_factory=Backoff)
