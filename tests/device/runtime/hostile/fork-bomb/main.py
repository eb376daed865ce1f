"""Forks until it is not let; at most as often as harms nobody where nothing stops it."""

import os
import time

MOST = 200


def handler(event, context):
    for count in range(MOST):
        try:
            if os.fork() == 0:
                time.sleep(3600)
        except OSError as error:
            raise RuntimeError(f"stopped after {count} forks: {error}") from None
    raise RuntimeError(f"stopped after {MOST} forks: by itself")
