"""Holds a whole function to its share of processor, memory and processes, by the kernel's control groups.

`places.py` finds the agent's own groups, `group.py` is one function's, `groups.py` all of them.
"""
