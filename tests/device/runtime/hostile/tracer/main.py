"""Turns on the process that the event names: its memory, its life."""

import ctypes
import os
import signal
from pathlib import Path

PTRACE_ATTACH = 16
libc = ctypes.CDLL(None, use_errno=True)


def trace(pid):
    if libc.ptrace(PTRACE_ATTACH, pid, None, None) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def read_memory(pid):
    with Path(f"/proc/{pid}/mem").open("rb") as file:
        file.read(1)


def read_environment(pid):
    with Path(f"/proc/{pid}/environ").open("rb") as file:
        file.read(1)


def call_into(pid):
    class Vector(ctypes.Structure):
        _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))

    buffer = ctypes.create_string_buffer(8)
    here, there = Vector(ctypes.addressof(buffer), 8), Vector(id(None), 8)
    if libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) < 0:
        raise OSError(ctypes.get_errno(), "process_vm_readv")


def stop(pid):
    os.kill(pid, signal.SIGSTOP)


def attempt(way, pid):
    try:
        way(pid)
    except OSError as error:
        return str(error)
    return ""


def handler(event, context):
    return {way.__name__: attempt(way, event.data) for way in (trace, read_memory, read_environment, call_into, stop)}
