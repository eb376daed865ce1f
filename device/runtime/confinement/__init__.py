"""Confines a worker to the things its function needs, by the means of sandbox/.

`enter.py` puts a worker inside, in the one order that works; `probe.py` finds this machine's mechanisms.
"""
