"""The mechanisms of confinement on a machine, present or lacking, as a value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mechanisms:
    """The mechanisms at work here. `landlock` is the version of its interface, 0 for none.

    `user_namespace`: namespaces are had through one, because the agent runs as an ordinary user; `view`: a root of its
    own; `user`: a user of its own; `proc`: a /proc of its own, which hides the processes of others; `short_queues`: a
    network namespace lets hardly any connection wait; `processes`: their limit counts a worker's own alone;
    `capabilities`: there are some to drop.
    """

    view: bool = False
    user: bool = False
    proc: bool = False
    user_namespace: bool = False
    network_namespace: bool = False
    short_queues: bool = False
    processes: bool = False
    capabilities: bool = False
    landlock: int = 0
    filter: bool = False
