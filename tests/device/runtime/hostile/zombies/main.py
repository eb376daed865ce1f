"""Makes children that end at once and never asks how; says how many it could make, at most 200."""

import os

MOST = 200


def handler(event, context):
    for count in range(MOST):
        try:
            if os.fork() == 0:
                os._exit(0)
        except OSError:
            return count
    return MOST
