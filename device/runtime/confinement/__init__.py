"""Confines a worker to the things its function needs, each mechanism in a file of its own.

`enter.py` puts a worker inside, in the one order that works; `probe.py` finds this machine's mechanisms. Limits of
memory, files and processes are in `rlimits.py`.
"""
