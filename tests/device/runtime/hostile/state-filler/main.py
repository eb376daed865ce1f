"""Fills the disk past context.state: more files in its folder, and more in the files that are there."""

import os
from pathlib import Path


def attempt(step):
    try:
        step()
    except OSError as error:
        return error.strerror
    return ""


def fill(path):
    with path.open("ab", buffering=0) as file:
        while file.write(bytes(1 << 20)) and file.tell() < 1 << 30:
            pass


def opened_up(place):
    place.chmod(0o777)
    (place / "more").touch()


def handler(event, context):
    context.state["begun"] = True
    folder = Path(context.state._folder)
    file = folder / "state.db"
    made = {}
    for place in (folder, folder.parent):
        new = place / "new"
        ways = {
            "file": new.touch,
            "folder": new.mkdir,
            "link": lambda new=new: new.hardlink_to(file),
            "symbolic link": lambda new=new: new.symlink_to("/etc/passwd"),
            "pipe": lambda new=new: os.mkfifo(new),
            "rename": lambda new=new: file.rename(new),
            "removal": file.unlink if place == folder else folder.rmdir,
            "mode": lambda place=place: opened_up(place),
        }
        made.update({f"{way} in {place.name}": attempt(step) for way, step in ways.items()})
    full = {each.name: attempt(lambda each=each: fill(each)) for each in sorted(folder.iterdir())}
    return {"made": made, "full": full}
