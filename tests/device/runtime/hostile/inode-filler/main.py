"""Makes empty files in its scratch folder, which have no size and take memory or a place on the disk all the same."""

from pathlib import Path


def handler(event, context):
    made = 0
    while made < 20000:
        try:
            Path(f"file-{made}").touch()
        except OSError as error:
            raise RuntimeError(f"stopped after {made} files: {error}") from None
        made += 1
    raise RuntimeError("stopped by itself")
