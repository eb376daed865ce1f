"""Sends the agent 1 GiB, in packets as large as they can be."""

import os
import socket
import stat


def channel():
    """The socket to the agent, found among the open files."""
    for fd in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                return socket.socket(fileno=os.dup(fd))
        except OSError:
            pass
    raise LookupError("no socket")


def handler(event, context):
    end = channel()
    for _ in range(8192):
        end.send(bytes(128 << 10))
