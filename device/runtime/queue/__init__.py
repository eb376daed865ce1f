"""What waits: a function's events, what happens when there are too many, and the callers of its answers."""
