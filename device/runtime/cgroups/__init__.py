"""What the kernel's control groups hold a whole function to: processor share, memory, processes.

`places.py` finds the groups that are the agent's own, `group.py` is one function's, `groups.py` all of them.
"""
