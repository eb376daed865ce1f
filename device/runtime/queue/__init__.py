"""A function's waiting events, the rule for a full queue, and the callers awaiting answers."""
