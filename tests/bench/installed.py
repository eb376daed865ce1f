"""Functions and models as the update engine would have installed them, made from their text for a benchmark."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

from device.generation import Generation, InstalledFunction, InstalledModel
from device.protocol import chunks, manifest, model_manifest

_MANIFEST = """\
name = "{name}"
handler = "main:handler"
timeout = "30s"
models = {models}
"""


def function(
    folder: Path, name: str, code: str, config: Mapping[str, object], models: Mapping[str, InstalledModel]
) -> InstalledFunction:
    """Write `code` into `folder` as the function `name`, which nothing triggers but calls."""
    folder.mkdir(parents=True)
    text = _MANIFEST.format(name=name, models=json.dumps(list(models)))
    (folder / "function.toml").write_text(text)
    (folder / "main.py").write_text(code)
    checked = manifest.function(tomllib.loads(text))
    return InstalledFunction(name, 1, chunks.digest(code.encode()), folder, checked, config, models)


def model(folder: Path) -> InstalledModel:
    """The model whose files lie in `folder`."""
    text = (folder / "model.toml").read_text()
    checked = model_manifest.model(tomllib.loads(text))
    digest = chunks.digest((folder / "model.onnx").read_bytes())
    return InstalledModel(checked.name, 1, digest, folder, checked)


def generation(installed: InstalledFunction) -> Generation:
    """A generation with this function and its models."""
    return Generation(1, {installed.name: installed}, installed.models)
