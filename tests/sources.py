"""Source distributions from a few lines, with a build backend of their own: no tool has to be fetched for them."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Written for the test's own packages: it makes the wheel's files from ordinary Python values.
_BACKEND = """
import os, zipfile
def extra(): return {{}}
{before}
def build_wheel(out, config_settings=None, metadata_directory=None):
    {body}
    info = "{name}-{version}.dist-info"
    files = {{
        "{module}.py": {code!r},
        info + "/METADATA": "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n{requires}",
        info + "/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: {pure}\\nTag: {tag}\\n",
        info + "/RECORD": "",
        **{more!r}, **extra(),
    }}
    file = {file!r}
    with zipfile.ZipFile(os.path.join(out, file), "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return file
"""


def sdist(
    folder: Path,
    name: str,
    code: str = "",
    version: str = "1.0",
    *,
    body: str = "pass",
    before: str = "",
    requires: str = "",
    tools: str = "[]",
    files: Mapping[str, str] | None = None,
    more: Mapping[str, str | bytes] | None = None,
    calls_itself: str = "",
    numbers_itself: str = "",
    tag: str = "py3-none-any",
    pure: str = "true",
    file: str = "",
) -> Path:
    """A source distribution of the package `name`, whose build runs `body` and gives a wheel with one module.

    `before` runs at the backend's import, and may define `extra()`, more files of the wheel; `more` are such files,
    too, and `files` those of the source. `requires` are its dependencies, one a line. The other words say how the
    wheel differs from what it should be.
    """
    called, numbered = calls_itself or name, numbers_itself or version
    backend = _BACKEND.format(
        name=called,
        version=numbered,
        module=name,
        code=code,
        body=body.replace("\n", "\n    "),
        before=before,
        requires="".join(f"Requires-Dist: {each}\\n" for each in requires.splitlines()),
        pure=pure,
        tag=tag,
        more=dict(more or {}),
        file=file or f"{called}-{numbered}-{tag}.whl",
    )
    project = f'[build-system]\nrequires = {tools}\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    given = {"pyproject.toml": project, "backend.py": backend, **(files or {})}
    path = folder / f"{name}-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for each, text in given.items():
            add(archive, f"{name}-{version}/{each}", text.encode())
    return path


def add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    """A plain file in the archive."""
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))


def built(source: Path) -> tuple[str, bytes]:
    """The wheel that the source's backend gives, file name and bytes, built here and now: it is the test's own code."""
    with tarfile.open(source) as archive:
        file = archive.extractfile(f"{source.name.removesuffix('.tar.gz')}/backend.py")
        assert file is not None
        backend: dict[str, Any] = {}
        exec(file.read(), backend)
    out = source.parent / "out"
    out.mkdir(exist_ok=True)
    name = str(backend["build_wheel"](str(out)))
    return name, (out / name).read_bytes()
