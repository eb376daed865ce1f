"""Closes its pipe to the agent, and lives on."""

import os
import socket
import stat
import time


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
    channel().shutdown(socket.SHUT_RDWR)
    time.sleep(3600)
