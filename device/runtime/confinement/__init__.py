"""What takes everything away from a worker that its function does not need, each mechanism in a file of its own.

`enter.py` puts a worker inside, in the one order that works; `probe.py` says what this machine has. Limits of memory,
files and processes are ../sandbox.py's.
"""
