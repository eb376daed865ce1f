"""Opens the paths that the event names; says which it could read, and why not the others."""

from pathlib import Path


def attempt(path):
    try:
        with Path(path).open("rb") as file:
            file.read(1)
    except OSError as error:
        return str(error)
    return ""


def handler(event, context):
    return {path: attempt(path) for path in event.data}
