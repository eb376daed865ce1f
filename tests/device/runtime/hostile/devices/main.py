"""Opens the memory and the disks of the machine, or makes itself nodes for them."""

import os
import stat


def open_mem():
    os.close(os.open("/dev/mem", os.O_RDWR))


def open_kmsg():
    os.close(os.open("/dev/kmsg", os.O_RDWR))


def make_mem():
    os.mknod("mem", 0o600 | stat.S_IFCHR, os.makedev(1, 1))
    os.close(os.open("mem", os.O_RDWR))


def attempt(way):
    try:
        way()
    except OSError as error:
        return str(error)
    return ""


def handler(event, context):
    return {way.__name__: attempt(way) for way in (open_mem, open_kmsg, make_mem)}
