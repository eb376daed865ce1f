"""Writes a found function as a folder with its code and a function.toml; a folder that is there stays as it is."""

import json
import re
import shutil
from pathlib import Path
from typing import cast

from cloud_shim.cli.moving import imports
from cloud_shim.cli.moving.found import Found, Function
from device.artifact import archive, bundle
from device.artifact.bundle import FUNCTION_FILE
from device.errors import BadArtifactError, LamplightError
from device.protocol.layer import REQUIREMENTS

# Of the clouds' tools; none is code of the function.
_TOOLS = re.compile(r"(^|/)node_modules/|^(template|serverless|samconfig|package(-lock)?)\.(ya?ml|json|toml)$")


def write(found: Found, function: Function, parent: Path) -> Path | None:
    """The new folder of the function below `parent`; None, and a note in `found`, when it cannot be made."""
    folder = parent / function.name
    if folder.exists() or folder.is_symlink():
        raise LamplightError(f"{folder} exists already", "nothing in it was changed", "Name another folder to write to")
    try:
        folder.mkdir(parents=True)
        _copy(function, folder)
        finish(found, function, folder)
    except (LamplightError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        found.leave(0, function.name, f"it cannot be carried over: {_said(error)}")
        return None
    return folder


def finish(found: Found, function: Function, folder: Path) -> None:
    """Write the function.toml into the folder of its code, and the requirements its cloud brought by itself.

    Raises BadArtifactError for code that cannot be deployed.
    """
    path = folder / FUNCTION_FILE
    if path.exists():
        raise LamplightError(f"{path} exists already", "nothing was changed", "It is a function of ours by now")
    modules = imports.of(folder, archive.files(folder))
    if reasons := imports.networked(modules):
        function.network = True
        why = f"its code imports {', '.join(reasons)}, so function.toml asks for the network"
        found.leave(0, f"{function.name}: network", why, "The board's operator must allow it (docs/confinement.md)")
    path.write_text(manifest(function), encoding="utf-8")
    try:
        bundle.read_function(folder)
    except BadArtifactError:
        path.unlink()
        raise
    _require(found, function, folder, imports.brought(modules, function.runtime))


def manifest(function: Function) -> str:
    """The text of its function.toml."""
    lines = [
        f"name = {_text(function.name)}",
        f"runtime = {_text(function.runtime)}",
        f"handler = {_text(function.handler)}",
        *([f'memory = "{function.memory}M"'] if function.memory else []),
        *([f'timeout = "{function.timeout}s"'] if function.timeout else []),
        *([f'scratch = "{function.scratch}M"'] if function.scratch else []),
        *(["network = true"] if function.network else []),
    ]
    for trigger in function.triggers:
        lines += ["", "[[triggers]]", *(f"{key} = {_value(value)}" for key, value in trigger.items())]
    if function.cloud:
        lines += ["", "[cloud]", *(f"{key} = {_value(value)}" for key, value in function.cloud.items())]
    if function.environment or function.unset:
        lines += ["", "[environment]", *(f"{key} = {_text(value)}" for key, value in function.environment.items())]
        lines += [f'# {key} = ""  # in the cloud: {_comment(why)}' for key, why in function.unset.items()]
    return "\n".join(lines) + "\n"


def _copy(function: Function, folder: Path) -> None:
    if function.inline is not None:
        module = function.handler.rpartition(".")[0].rpartition("/")[2] or "index"
        (folder / f"{module}.py").write_text(function.inline, encoding="utf-8")
        return
    assert function.code
    for name in archive.files(function.code):
        if not _TOOLS.search(name) and not _is_ours(function.code, name):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(function.code / name, folder / name)


def _is_ours(code: Path, name: str) -> bool:
    """Whether the file belongs to a function of ours, written below the code."""
    return any((folder / FUNCTION_FILE).exists() for folder in (code / name).parents if folder.is_relative_to(code))


def _require(found: Found, function: Function, folder: Path, packages: list[str]) -> None:
    path = folder / REQUIREMENTS
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    names = {re.split(r"[^A-Za-z0-9_.-]", line.strip(), maxsplit=1)[0].lower() for line in before.splitlines()}
    lacking = [each for each in packages if each not in names]
    if lacking:
        path.write_text(
            "".join([before, "\n" if before and not before.endswith("\n") else ""] + [f"{each}\n" for each in lacking])
        )
        why = f"{', '.join(lacking)} came with the cloud's runtime, and is in {REQUIREMENTS} now"
        found.leave(0, f"{function.name}: packages", why, "Write the version that you use")


def _said(error: LamplightError | OSError) -> str:
    return str(error) if isinstance(error, LamplightError) else error.strerror or str(error)


def _value(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_text(str(each)) for each in cast("list[object]", value)) + "]"
    return _text(str(value))


def _text(value: str) -> str:
    """As TOML writes a text: like JSON, but for one character more that it wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)[:80]
