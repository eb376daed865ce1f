"""Why a model cannot be used: onnxruntime's words and the differences from `model.toml`, for a person. Pure."""

import re

from device.errors import BadArtifactError
from device.infer import ort
from device.protocol.model_manifest import ModelManifest

# onnxruntime's words for a model of a later time (core/graph/model.cc, model_load_utils.h).
_FORM = re.compile(r"model IR version: (\d+), max supported IR version: (\d+)")
_OPERATORS = re.compile(r"Opset (\d+) is under development.*support for domain (\S+) is till opset (\d+)", re.DOTALL)


def mismatch(manifest: ModelManifest, why: str) -> BadArtifactError:
    """The model and its model.toml say different things."""
    return BadArtifactError(
        f"Model {manifest.name} is not what its model.toml says", why, "Correct model.toml, or export the model again"
    )


def failure(manifest: ModelManifest, error: Exception) -> BadArtifactError:
    """onnxruntime cannot load the model."""
    if newer := _newer(str(error)):
        return BadArtifactError(f"Model {manifest.name} is newer than this machine's onnxruntime", *newer)
    return BadArtifactError(
        f"onnxruntime cannot run model {manifest.name}",
        first_line(error),
        "Export it again, for an opset that the board's onnxruntime knows (17 or lower is safe)",
    )


def _newer(said: str) -> tuple[str, str] | None:
    """Why, and what to do, when onnxruntime says that the file's form or operators are of a later time."""
    if form := _FORM.search(said):
        has, takes = form.groups()
        why = f"its IR version is {has}, and onnxruntime {ort.prepare().__version__} takes up to {takes}"
        return why, f"Save it for that version (model.ir_version = {takes}), or upgrade the board"
    if operators := _OPERATORS.search(said):
        has, domain, takes = operators.groups()
        why = f"its opset is {has}, and onnxruntime {ort.prepare().__version__} takes {domain} up to {takes}"
        return why, f"Export it for that opset (opset_version={takes}), or upgrade the board"
    return None


def first_line(error: Exception) -> str:
    """The start of an error's text."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
