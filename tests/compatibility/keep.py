"""Keeps a revision of this repository as the wheel that the tests of this folder install; README.md tells when.

    python -m tests.compatibility.keep b0cc12b

Takes the tree from git, leaves out the parts that neither an agent nor a shim needs to run, and builds. It replaces the
wheel that was kept before. The same revision gives the same bytes with the same setuptools.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# Models and flashing are no part of a running fleet; the console's scripts are half of the wheel.
LEFT_OUT = ("models", "flashing", "cloud_shim/console/static/vendor")
PACKED = ("pyproject.toml", "README.md", "LICENSE", "device", "boards", "cloud_shim")


def keep(revision: str) -> Path:
    """Build the wheel of `revision` and put it here in place of the one before; gives where it is."""
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch, "tree")
        tree.mkdir()
        archive = subprocess.run(
            ["git", "archive", "--format=tar", revision, *PACKED], cwd=ROOT, check=True, capture_output=True
        )
        subprocess.run(["tar", "x", "-C", str(tree)], input=archive.stdout, check=True)
        for each in LEFT_OUT:
            shutil.rmtree(tree / each, ignore_errors=True)
        # Their dates are in the wheel.
        environment = {**os.environ, "SOURCE_DATE_EPOCH": _date(revision)}
        command = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "-q", "-w", ".."]
        subprocess.run(command, cwd=tree, check=True, env=environment)
        (built,) = Path(scratch).glob("*.whl")
        for old in HERE.glob("*.whl"):
            old.unlink()
        return Path(shutil.copy(built, HERE / built.name))


def _date(revision: str) -> str:
    command = ["git", "log", "-1", "--format=%ct", revision]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    kept = keep(sys.argv[1])
    sys.stdout.write(f"{kept.relative_to(ROOT)} ({kept.stat().st_size:,} bytes)\n")
