"""Nothing that installs touches the disk but through the seam."""

import ast
from pathlib import Path

import pytest

DEVICE = Path(__file__).parents[2] / "device"
FILES = [path for part in ("update", "trust", "artifact") for path in sorted((DEVICE / part).rglob("*.py"))]
WRITING = {
    *("mkdir", "makedirs", "rmdir", "rmtree", "unlink", "remove", "replace", "rename", "renames", "touch", "chmod"),
    *("write_bytes", "write_text", "fsync", "fdatasync", "truncate", "symlink_to", "link", "copytree", "copyfile"),
    *("mkdtemp", "mkstemp", "TemporaryDirectory", "NamedTemporaryFile", "fchmod", "move", "hardlink_to"),
}
# What a verification works on is scratch: nothing there has to survive it.
SCRATCH = {
    "verify.py": {"mkdir", "write_text"},
    "verifier.py": {"TemporaryDirectory", "mkdir", "open"},
}
READING = ("r", "rb")


def strays(source):
    """Names of the calls in `source` that change a disk, other than through `durable`."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if isinstance(owner, ast.Name) and owner.id == "durable":
            continue
        if name == "open" and not (isinstance(owner, ast.Name) and owner.id == "tarfile"):
            modes = [each.value for each in (*node.args, *(key.value for key in node.keywords)) if is_text(each)]
            if not modes or any(mode not in READING for mode in modes):
                yield name
        elif name in WRITING and not replaces_in_text_or_value(name, node, owner):
            yield name


def is_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def replaces_in_text_or_value(name, node, owner):
    """dataclasses.replace(value, field=…) and str.replace(old, new) are not about files."""
    return name == "replace" and (owner is None or len(node.args) == 2)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(DEVICE)))
def test_no_durable_step_goes_past_the_seam(path):
    assert set(strays(path.read_text())) <= SCRATCH.get(path.name, set())


def test_in_the_seam_only_the_disk_takes_steps():
    tree = ast.parse((DEVICE / "durable.py").read_text())
    rest = [ast.unparse(each) for each in tree.body if getattr(each, "name", "") != "Disk"]
    calls = [node for node in ast.walk(ast.parse("\n".join(rest))) if isinstance(node, ast.Call)]
    owners = {ast.unparse(call.func.value) for call in calls if isinstance(call.func, ast.Attribute)}
    assert not owners & {"os", "shutil", "tempfile"}


@pytest.mark.parametrize(
    "stray", ["path.unlink()", "os.replace(a)", "shutil.rmtree(x)", "path.open('wb')", "open(p, 'a')"]
)
def test_a_stray_is_found(stray):
    assert set(strays(stray))
