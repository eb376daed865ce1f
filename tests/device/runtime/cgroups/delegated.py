"""Groups as systemd would delegate them, made for a test by root, in the hierarchies that this machine lets it use."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from device.runtime.cgroups.group import Group
from device.runtime.cgroups.places import AGENT, CONTROLLERS, Place

NAME = f"lamplight-test-{os.getpid()}"


def hierarchies():
    """The roots of the hierarchies in which a test may make groups: (version, path, controllers).

    Of version 1 only those in which the test is in no group: it must not leave one that limits it.
    """
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    groups = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    free = {name for _, names, path in groups if path == "/" for name in names.split(",")}
    for _, point, kind, options, *_ in mounts:
        path = Path(point)
        if kind == "cgroup2":
            yield 2, path, tuple((path / "cgroup.subtree_control").read_text().split())
        elif kind == "cgroup":
            usable = tuple(each for each in CONTROLLERS if each in options.split(",") and each in free)
            if usable:
                yield 1, path, usable


@contextlib.contextmanager
def delegated():
    """A marked group in each; gives them, where there is none an empty list."""
    made = []
    try:
        for version, root, controllers in hierarchies():
            with contextlib.suppress(OSError):
                path = root / NAME
                path.mkdir()
                made.append(Place(version, path, controllers))
                os.setxattr(path, "user.delegate", b"1")
        yield made
    finally:
        for place in made:
            for child in [each for each in place.path.iterdir() if each.is_dir()]:
                assert Group(child.name, [place]).remove()
            assert Group(NAME, [Place(place.version, place.path.parent, ())]).remove()


def run(made, code, *arguments):
    """Start Python with this code in these groups from the beginning: as a service's first process, or as one that the
    launcher starts again.
    """
    groups = [place.path / AGENT if (place.path / AGENT).exists() else place.path for place in made]
    joined = f"for group in {list(map(str, groups))}: Path(group, 'cgroup.procs').write_text(str(os.getpid()))"
    command = [sys.executable, "-c", f"import os\nfrom pathlib import Path\n{joined}\n{code}", *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
