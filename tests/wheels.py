"""Wheels from a few lines, in a folder that pip takes for the package index."""

import base64
import hashlib
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path


def wheel(
    folder: Path,
    name: str,
    code: str,
    version: str = "1.0",
    tag: str = "py3-none-any",
    needs: str = "",
    more: Mapping[str, str] | None = None,
) -> None:
    """A wheel with the one module `name`, as the binary distribution format of packaging.python.org has it.

    `needs` are requirements, one a line. `more` are further files; those whose content begins with `#!` may be run.
    """
    info = f"{name}-{version}.dist-info"
    requires = "".join(f"Provides-Extra: {each}\n" for each in re.findall(r'extra == "(\w+)"', needs))
    requires += "".join(f"Requires-Dist: {each}\n" for each in needs.splitlines())
    files = {
        **(more or {}),
        f"{name}.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    lines = [f"{path},sha256={_digest(text)},{len(text.encode())}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,"])
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as archive:
        for path, text in files.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = (0o100755 if text.startswith("#!") else 0o100644) << 16
            archive.writestr(entry, text)


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
