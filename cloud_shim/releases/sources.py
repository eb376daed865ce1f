"""A function's text files, for an editor: out of a release, and into a new artifact.

Releasing and deploying the artifact is the caller's work.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from cloud_shim.releases.registry import Registry
from cloud_shim.releases.release import Release
from device.artifact import archive
from device.errors import BadArtifactError

_MAX_TEXT = 256 * 1024  # bytes; longer files are too much for an editor


def read(registry: Registry, release: Release) -> dict[str, str]:
    """The release's text files by their path. Very long files, and files in another form than UTF-8, stay out."""
    with tempfile.TemporaryDirectory() as scratch:
        tree = _tree(registry, release, Path(scratch))
        found = {path.relative_to(tree).as_posix(): _text(path) for path in sorted(tree.rglob("*")) if path.is_file()}
    return {name: text for name, text in found.items() if text is not None}


def pack(registry: Registry, release: Release | None, files: Mapping[str, str]) -> bytes:
    """The artifact with these text files, and the files of `release` other than text.

    BadArtifactError for a path out of the bundle, or for one used both as a file and as a folder.
    """
    with tempfile.TemporaryDirectory() as scratch:
        tree = _tree(registry, release, Path(scratch)) if release else Path(scratch, "tree")
        tree.mkdir(exist_ok=True)
        for path in [path for path in tree.rglob("*") if path.is_file() and _text(path) is not None]:
            path.unlink()
        for name, text in files.items():
            _write(tree, name, text)
        return archive.pack(tree)


def _tree(registry: Registry, release: Release, scratch: Path) -> Path:
    tree = scratch / "tree"
    registry.unpack(release, tree)
    return tree


def _text(path: Path) -> str | None:
    if path.stat().st_size > _MAX_TEXT:
        return None
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _write(tree: Path, name: str, text: str) -> None:
    relative = PurePosixPath(name)
    if not name or "\0" in name or relative.is_absolute() or ".." in relative.parts or relative.as_posix() != name:
        raise BadArtifactError(f"{name!r} is not a path inside the bundle", "", "Use a path such as main.py")
    path = tree / relative
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Bytes, so that line ends stay as they are on every system.
        path.write_bytes(text.encode())
    except (OSError, UnicodeEncodeError) as error:
        raise BadArtifactError(f"{name!r} cannot be a file of the bundle", str(error)) from error
