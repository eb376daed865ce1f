"""Runs functions: confined worker processes, forked from a warm zygote, each fed one event at a time.

In the agent's process, from above: `supervisor` (all functions) → `dispatcher` (one function) → `instance` (one worker
and the thread that looks after it).

    queue/        a function's waiting events, and the answers awaited by callers
    workers/      worker and zygote as the agent sees them: started, watched, ended
    zygote/       the parent process of all workers
    worker/       the process that runs one function
    wire/         the messages between agent and worker, and their socket
    confinement/, cgroups/    the bounds of a worker: its access, and its share of the board
"""
