"""From a folder to the archive that is sent: decides what it is, checks it here, packs it.

A mistake is told before anything leaves the machine; shim and device check again. It does not send.
"""

from pathlib import Path

from device.errors import BadArtifactError


def pack(folder: Path) -> bytes:
    """The archive of the function or model in `folder`; BadArtifactError (or a subclass) says what is wrong with it."""
    if (folder / "function.toml").is_file():
        return _function(folder)
    if (folder / "model.toml").is_file():
        return _model(folder)
    raise BadArtifactError(
        f"{folder} is neither a function nor a model",
        "it has no function.toml and no model.toml",
        "`lamplight new night-light` makes a function",
    )
