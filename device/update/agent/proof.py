"""Has a new version of the agent proved itself? Pure; the launcher keeps the time in which it must.

It has when the functions that ran under the version before run again, and it is connected. A board without a network
must be able to update as well, so that its functions have handled events for a while counts instead, but only where the
broker's port did not answer all that while: where it does, the link of the new version is what is broken. A board that
runs no function has nothing else to show than a connection.
"""

from collections.abc import Collection, Mapping

from device.update.ports import Health

# Seconds without a connection, and without an answer from the broker's port, after which the functions alone count.
OFFLINE = 30.0
# Events that each function with a sensor or a timer must have handled then.
EVENTS = 3


def lacking(
    expected: Collection[str],
    fed: Collection[str],
    health: Mapping[str, Health],
    connected: bool,
    elapsed: float,
    answered: float | None,
) -> str:
    """What the proof still lacks, `elapsed` seconds after the start; "" when it is complete.

    `expected` are the functions that ran before, `fed` those of them that get events by themselves; `answered` is how
    many seconds after the start the broker's port answered last, None when it never did.
    """
    for name in sorted(expected):
        state = health[name].state if name in health else "not there"
        if state != "running":
            return f"{name} does not run again: it is {state}"
    if connected:
        return ""
    if answered is not None and elapsed - answered < OFFLINE:
        return "it has not connected to the broker, whose port answers"
    if elapsed < OFFLINE or not expected:
        return "it has not connected to the broker"
    for name in sorted(fed):
        if name in health and health[name].events < EVENTS:
            return f"it has not connected, and {name} has handled {health[name].events} events"
    return ""
