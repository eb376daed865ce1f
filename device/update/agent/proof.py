"""Has a new version of the agent proved itself? Pure; the launcher keeps the time for it.

It has when it is connected and the functions of the version before run again. A board without a network must be able to
update as well: there, functions that have handled events for a while count instead. They count only if the broker's
port was silent all that while: if the port answers, the new version's own link is broken. A board with no functions has
only its connection to show.
"""

from collections.abc import Collection, Mapping

from device.update.ports import Health

# After so many seconds with neither a connection nor an answer from the broker's port, the functions alone count.
OFFLINE = 30.0
# Each function with a sensor or a timer must have handled so many events by then.
EVENTS = 3


def lacking(
    expected: Collection[str],
    fed: Collection[str],
    health: Mapping[str, Health],
    connected: bool,
    elapsed: float,
    answered: float | None,
) -> str:
    """The missing part of the proof, `elapsed` seconds after the start; "" when it is complete.

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
