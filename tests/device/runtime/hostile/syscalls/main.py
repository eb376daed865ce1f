"""Makes system calls by their numbers, with arguments without a sense; names those with another error than expected."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def answer(number):
    ctypes.set_errno(0)
    libc.syscall(ctypes.c_long(number), *[ctypes.c_long(-1)] * 6)
    return ctypes.get_errno()


def handler(event, context):
    return [[number, answer(number)] for number, expected in event.data if answer(number) != expected]
