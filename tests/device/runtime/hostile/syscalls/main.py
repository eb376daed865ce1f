"""Makes the system calls whose numbers the event names, without arguments that make sense; says what each answered."""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def answer(number):
    ctypes.set_errno(0)
    libc.syscall(ctypes.c_long(number), *[ctypes.c_long(-1)] * 6)
    return ctypes.get_errno()


def handler(event, context):
    return [answer(number) for number in event.data]
