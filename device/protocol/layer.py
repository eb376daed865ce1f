"""The contents of `layer.toml`: the packages in a layer, and their platform.

A layer is an artifact with `layer.toml` and the folder `site`, which goes on the import path of its functions. This
takes the decoded table; it does not read files.
"""

from .errors import ProtocolError
from .fields import integer, items, name, only, sha256, table, text

LAYER_FILE = "layer.toml"
SITE = "site"
LOCK_FILE = "pylock.toml"  # in a layer since 0.2: the origins of its packages; no board needs it
REQUIREMENTS = "requirements.txt"  # in a function's folder: what its layer is made from
PROJECT = "pyproject.toml"  # the same where it has no requirements.txt: its `dependencies`


class LayerManifest:
    """A checked `layer.toml`: `packages` maps a name to its version; `python` is "3.11", `glibc` the minor of 2."""

    def __init__(self, name: str, machine: str, python: str, glibc: int, packages: dict[str, str]) -> None:
        self.name = name
        self.machine = machine
        self.python = python
        self.glibc = glibc
        self.packages = packages


def layer(value: object) -> LayerManifest:
    """The manifest in a decoded `layer.toml`; raises ProtocolError.

    It is named after its platform: its content lists the packages, and functions with the same needs share it.
    """
    where = LAYER_FILE
    fields = table(value, where)
    only(fields, ("platform", "packages"), where)
    platform = table(fields.get("platform"), f"{where}.platform")
    only(platform, ("machine", "python", "glibc"), f"{where}.platform")
    packages = dict(_package(each, f"{where}.packages") for each in items(fields.get("packages"), f"{where}.packages"))
    if not packages:
        raise ProtocolError(f"{where}.packages: a layer has at least one")
    machine, python = (text(platform, key, f"{where}.platform") for key in ("machine", "python"))
    glibc = integer(platform, "glibc", f"{where}.platform", 0, 999)
    called = name(f"{machine}-py{python}".replace("_", "-").replace(".", ""), f"{where}.platform")
    return LayerManifest(called, machine, python, glibc, packages)


def _package(value: object, where: str) -> tuple[str, str]:
    fields = table(value, where)
    only(fields, ("name", "version", "sha256"), where)
    sha256(fields.get("sha256"), where)
    return text(fields, "name", where), text(fields, "version", where)
