"""Sends the agent what is no message."""

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
    channel().send(os.urandom(1000))
