"""Runs functions: confined worker processes, forked from a warm zygote, each fed one event at a time.

From the agent downwards: `supervisor` (all functions) → `dispatcher` (one function: its queue) → `instance` (one worker
and the thread that looks after it) → `process` (the worker, as the agent sees it) → `zygotes` → `forker` (asks one
zygote) | then, in other processes: `zygote` → `worker` → `context` → the handler.
"""
