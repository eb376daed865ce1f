"""Fills its scratch folder with files of 1 MiB, until it is not let; at most 128."""

from pathlib import Path

MOST = 128


def handler(event, context):
    for count in range(MOST):
        try:
            Path(f"filler-{count}").write_bytes(bytes(1 << 20))
        except OSError as error:
            raise RuntimeError(f"stopped after {count} MiB: {error}") from None
    raise RuntimeError(f"stopped after {MOST} MiB: by itself")
