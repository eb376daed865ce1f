"""Runs functions: one confined worker process each, forked from a warm zygote, fed one event at a time.

From the agent downwards: `supervisor` (all functions) → `dispatcher` (one function, one thread) → `process` (one
worker, as the agent sees it) → `forker` (asks the zygote) | then, in other processes: `zygote` → `worker` → `context`
→ the handler.
"""
