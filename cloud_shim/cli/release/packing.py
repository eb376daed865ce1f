"""From a folder to its archive, ready to be sent: checks it here and packs it.

A mistake is told before anything leaves the machine; shim and device check again. Sending is pushing.py's.
"""

from collections.abc import Mapping
from pathlib import Path

from cloud_shim.cli.release import lock, needs, places
from cloud_shim.cli.release.left_out import LeftOut
from device.artifact import archive, bundle
from device.errors import UsageError
from device.infer import acceptance, files


def declared_settings(folder: Path) -> Mapping[str, object]:
    """The settings of the function in `folder`, with their values in function.toml; {} for a model.

    Raises as `pack` does.
    """
    return bundle.declared(folder).config if bundle.kind(folder) == "function" else {}


def pack(folder: Path, config: Mapping[str, object] | None = None, plain: bool = False) -> bytes:
    """The archive of the function or model in `folder`, once it and the settings in `config` are checked.

    `plain` packs for an agent before 0.2, see archive.pack.
    Raises NotFoundError for any other folder, BadArtifactError for one unfit to be installed, RejectedError for a
    setting unknown to the function, and UsageError for settings of a model and for a version of the agent.
    """
    if bundle.kind(folder) == "function":
        names = _files(folder)
        bundle.settings(bundle.read_function(folder, names), config or {})
        return archive.pack(folder, only=names, plain=plain)
    if bundle.kind(folder) == "agent":
        raise UsageError(f"{folder} is a version of the agent", "it is no function", "`lamplight upgrade DEVICE`")
    if config:
        raise UsageError("A model has no settings", "--set is for functions")
    bundle.read_model(folder)
    acceptance.accept(folder)
    return archive.pack(folder, only=files.MODEL_FILES, plain=plain)


def left_out(folder: Path) -> list[str]:
    """The files of a function that stay here though nobody hid them, for a person (left_out.py); [] for none."""
    return LeftOut(folder).of(folder) if bundle.kind(folder) == "function" else []


def _files(folder: Path) -> list[str]:
    """Without the locks: one for another kind of board would make another release of the same code.

    Without the settings of this machine, too: they may name an index with its password.
    """
    keeps, ours = LeftOut(folder).keeps, (places.FILE, needs.UV_LOCK)
    return archive.files(folder, lambda name: keeps(name) and not lock.is_lock(name) and name not in ours)
