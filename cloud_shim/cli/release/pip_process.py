"""Runs this Python's pip, apart from the person's settings for other work.

pip's configuration says where packages come from (the index, its certificate, the proxy). Nothing else of it counts,
in files and PIP_* variables: options there add requirements, constraints and builds. pip_alone.py keeps it from
starting other programs, and has it judge markers for the board.
"""

import ast
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from cloud_shim.cli.release import pip_alone
from cloud_shim.cli.release.places import Places
from device.errors import LamplightError

# pip's arguments, and the environment markers it judges by; {} for this machine's own.
Pip = Callable[[Sequence[str], Mapping[str, str]], "subprocess.CompletedProcess[str]"]

_SECONDS = 1800
# Where packages come from, and the way there. `default-timeout` is another name of `timeout`.
_WHERE = (
    *("index-url", "extra-index-url", "find-links", "no-index", "proxy", "cert", "client-cert", "trusted-host"),
    *("timeout", "default-timeout", "retries", "cache-dir"),
)
# pip's own order: a later section wins.
_SECTIONS = ("global", "install", ":env:")


def prepared(places: Places = Places()) -> Pip:  # noqa: B008
    """pip with the index that is configured now, and pip's defaults for all other settings.

    `places` go before pip's own configuration. Raises LamplightError where this Python has no pip.
    """
    if importlib.util.find_spec("pip") is None:
        raise LamplightError(
            "Packages cannot be chosen here",
            f"the Python of this command, {sys.executable}, has no pip",
            "`python -m ensurepip`, or `uv pip install pip` in a uv environment",
        )
    listed = _pip(["config", "list"], os.environ)
    settings = places.over(configured(listed.stdout.splitlines()))
    environment = isolated(os.environ, settings)

    def run(arguments: Sequence[str], markers: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
        always = ["--no-input", "--disable-pip-version-check", "--quiet"]
        told = {pip_alone.MARKERS: json.dumps(dict(markers))} if markers else {}
        return _pip([*arguments, *always], {**environment, **told})

    return run


def configured(lines: Iterable[str]) -> dict[str, str]:
    """The settings that count, from the lines of `pip config list`."""
    found: dict[tuple[int, str], str] = {}
    for line in lines:
        name, _, value = line.partition("=")
        section, _, key = name.rpartition(".")
        if section in _SECTIONS and key in _WHERE and (text := _text(value)):
            found[_SECTIONS.index(section), key] = text
    return {key: found[rank, key] for rank, key in sorted(found)}


def _text(value: str) -> str:
    """A setting's value, which pip writes as Python does; "" for anything else."""
    try:
        return str(ast.literal_eval(value))
    except (ValueError, SyntaxError):
        return ""


def isolated(environment: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """The environment with these settings of pip, and none from its own variables and files.

    Variables and not arguments: an index's address may have a password, and arguments are shown to every user.
    """
    ours = {f"PIP_{key.upper().replace('-', '_')}": value for key, value in settings.items()}
    others = {key: value for key, value in environment.items() if not key.upper().startswith("PIP_")}
    return {**others, **ours, "PIP_CONFIG_FILE": os.devnull}


def _pip(arguments: Sequence[str], environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    # -P and a folder of its own: a pip.py beside the person would be taken for pip, a file named like a package
    # taken for it.
    command = [sys.executable, "-P", str(Path(pip_alone.__file__)), *arguments]
    with tempfile.TemporaryDirectory(prefix="lamplight-pip-") as empty:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, env=environment, cwd=empty, check=False
        )
