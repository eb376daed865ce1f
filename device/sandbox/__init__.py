"""The kernel's means to confine a process, each in a file of its own; they know nothing of functions.

`reader.py` confines a process that reads a stranger's bytes. A worker of a function is confined with the same means by
runtime/confinement/.
"""
