"""Makes a file in each folder that the event names; says where it could, and why not elsewhere."""

from pathlib import Path


def attempt(folder):
    try:
        Path(folder, "hostile-was-here").write_text("x")
    except OSError as error:
        return str(error)
    return ""


def handler(event, context):
    return {folder: attempt(folder) for folder in event.data}
