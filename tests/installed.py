"""Projects that this machine has installed, with those that they need."""

from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def projects(
    names: Iterable[str], wanted: Callable[[metadata.Distribution], bool] = lambda _: True
) -> dict[str, metadata.Distribution]:
    """What is installed of `names` and of what these need here, by normalised name.

    One that is not `wanted` is left out, and brings none.
    """
    found: dict[str, metadata.Distribution] = {}
    waiting = [Requirement(each) for each in names]
    while waiting:
        name = canonicalize_name(waiting.pop().name)
        try:
            project = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        if name not in found and wanted(project):
            found[name] = project
            waiting += [each for each in map(Requirement, project.requires or []) if _applies(each)]
    return found


def _applies(need: Requirement) -> bool:
    return need.marker is None or need.marker.evaluate({"extra": ""})


def layer(folder: Path, *names: str) -> Path:
    """`folder`, with links to the files of these projects and of what they need: a function's layer for a test."""
    folder.mkdir()
    for project in projects(names).values():
        for top in {each.parts[0] for each in project.files or [] if ".." not in each.parts} - {"__pycache__"}:
            if not (folder / top).exists():
                (folder / top).symlink_to(Path(str(project.locate_file(top))))
    return folder
