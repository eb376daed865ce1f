"""Runs functions: confined worker processes, forked from a warm zygote, each fed one event at a time.

In the agent's process, from above: `supervisor` (all functions) → `dispatcher` (one function) → `instance` (one worker
and the thread that looks after it).

    queue/        the events that wait for a function, and the answers that callers wait for
    workers/      worker and zygote as the agent sees them: started, watched, ended
    zygote/       the process that all workers are forked from
    worker/       the process that runs one function
    wire/         what agent and worker say to each other, and the socket it goes over
    confinement/, cgroups/    what a worker cannot do, and how much it may use
"""
