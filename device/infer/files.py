"""The files of a model, and the checks of them that need no onnxruntime.

Cheap enough for `lamplight deploy` on a laptop, and the first step of acceptance on the board. Nothing is run here:
whether the model loads, and gives the golden outputs in time, is checks.py's.
"""

import stat
import tomllib
from pathlib import Path

from device import texts
from device.errors import BadArtifactError
from device.infer import golden, onnx_file
from device.protocol.chunks import MAX_ARTIFACT
from device.protocol.errors import ProtocolError
from device.protocol.model_manifest import ModelManifest, model

MODEL = "model.onnx"
MANIFEST = "model.toml"
GOLDEN = "golden.json"
MODEL_FILES = (GOLDEN, MODEL, MANIFEST)
"""The content of a model's artifact, and all files sent: the training script and the model's card stay behind."""

_LIMITS = {MODEL: MAX_ARTIFACT, MANIFEST: 64 * 1024, GOLDEN: 4 * 1024 * 1024}


def read_manifest(folder: Path) -> ModelManifest:
    """The checked `model.toml` in `folder`; raises BadArtifactError."""
    try:
        return model(tomllib.loads(texts.decoded(read(folder, MANIFEST))))
    except (ProtocolError, ValueError, RecursionError) as error:
        raise BadArtifactError(
            f"{MANIFEST} cannot be used", str(error), "Correct it; models/presence/model.toml shows the form"
        ) from error


def check_files(folder: Path) -> ModelManifest:
    """Check the model in `folder` without running it, and give its manifest.

    Raises BadArtifactError when a file is missing, too large or no regular file, when model.toml or golden.json is
    malformed, or when model.onnx is no ONNX file or refers to data in other files.
    """
    checked = read_manifest(folder)
    golden.parse(read(folder, GOLDEN), checked)
    onnx_file.check(read(folder, MODEL))
    return checked


def read(folder: Path, name: str) -> bytes:
    """The content of one of MODEL_FILES; raises BadArtifactError when it is missing, too large or no regular file."""
    path = folder / name
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise BadArtifactError(
                f"{name} is not a regular file", "", "Put the file itself there, not a link or folder"
            )
        if found.st_size > _LIMITS[name]:
            raise BadArtifactError(f"{name} has {found.st_size} bytes", f"at most {_LIMITS[name]} are allowed")
        return path.read_bytes()
    except FileNotFoundError:
        raise BadArtifactError(
            f"{name} is missing", f"a model consists of {', '.join(MODEL_FILES)}", f"Add {name} to {folder}"
        ) from None
    except OSError as error:
        raise BadArtifactError(f"{name} cannot be read", str(error)) from error
