"""The direction of imports that the design fixes: who may know of whom."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("device", "cloud_shim", "boards", "models", "flash", "flashing", "lamplight")
MICROPYTHON = {"json", "struct", "hashlib"}


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, relative imports resolved."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            yield ".".join((*base, *((node.module or "").split(".") if node.module else ())))


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def within(module: str, *packages: str) -> bool:
    return any(module == p or module.startswith(f"{p}.") for p in packages)


@pytest.mark.parametrize("path", files("device/protocol"), ids=lambda p: p.name)
def test_the_protocol_imports_only_itself_and_what_micropython_has(path: Path) -> None:
    foreign = {m for m in imports(path) if not within(m, "device.protocol") and m not in MICROPYTHON}
    assert foreign == set()


@pytest.mark.parametrize("path", files("device"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_device_knows_nothing_of_the_cloud(path: Path) -> None:
    assert [m for m in imports(path) if within(m, "cloud_shim", "flash", "flashing", "models")] == []


SERVER = [path for path in files("cloud_shim") if "cli" not in path.relative_to(ROOT).parts]
# What each part of the device may import of the others; the rest is wired by the agent alone.
SHARED = (
    "device.allowance",
    "device.calendar",
    "device.durable",
    "device.errors",
    "device.faults",
    "device.event",
    "device.generation",
    "device.config",
    "device.health",
    "device.die_with_parent",
    "device.private_memory",
    "device.prctl",
    "device.logs",
    "device.texts",
    "device.port_holder",
    "device.protocol",
)
ALLOWED = {
    # It looks at every part, as the agent wires every part.
    "doctor": (
        "device.artifact",
        "device.enrol",
        "device.hal",
        "device.link",
        "device.runtime",
        "device.trust",
        "device.update",
        "device.users",
        "device.version",
        "boards",
    ),
    "enrol": ("device.link",),
    "hal": ("boards",),
    "infer": ("device.sandbox",),
    "link": (),
    "launcher": ("device.artifact", "device.runtime.backoff"),
    "artifact": ("device.infer", "device.sandbox", "device.version"),
    # To show a confined process where the board's descriptions are.
    "sandbox": ("boards",),
    "trust": (),
    "update": ("device.artifact", "device.trust", "device.infer", "device.launcher"),
    "triggers": ("device.hal", "boards"),
    "runtime": ("device.hal", "device.triggers", "device.infer", "device.sandbox", "device.users", "boards"),
    "users": ("device.sandbox",),
    "replay": ("device.hal", "device.infer", "device.runtime"),
}


@pytest.mark.parametrize("part", ALLOWED)
def test_the_parts_do_not_know_each_other(part: str) -> None:
    allowed = (*SHARED, *ALLOWED[part], f"device.{part}")
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files(f"device/{part}")
        for module in imports(path)
        if within(module, *OURS) and module != "device" and not within(module, *allowed)
    ]
    assert wrong == []


def test_the_helper_of_roots_imports_nothing_of_ours() -> None:
    assert [m for m in imports(ROOT / "device/users/helper.py") if within(m, *OURS)] == []


@pytest.mark.parametrize("path", SERVER, ids=lambda p: str(p.relative_to(ROOT)))
def test_what_serves_the_fleet_knows_nothing_of_the_command_line(path: Path) -> None:
    assert [m for m in imports(path) if within(m, "cloud_shim.cli", "flash", "flashing")] == []


def test_the_board_never_loads_what_it_has_no_memory_for() -> None:
    heavy = ("pydantic", "fastapi", "starlette", "attrs", "structlog", "httpx", "sqlalchemy", "click", "rich")
    wrong = [(str(p), m) for p in files("device") for m in imports(p) if within(m, *heavy)]
    assert wrong == []


def test_every_import_of_the_device_is_declared() -> None:
    declared = {"paho", "tuf", "securesystemslib", "numpy", "onnxruntime", "gpiod", "packaging", "zstandard"} | {
        "cronsim",
    }
    blinka = {"board", "busio", "digitalio", "adafruit_blinka", "Adafruit_PureIO", "adafruit_tsl2561"}
    known = declared | {"boards", "device"} | blinka | set(sys.stdlib_module_names)
    wrong = {m.split(".")[0] for p in files("device") for m in imports(p)} - known
    assert wrong == set()


def test_the_launcher_loads_nothing_that_could_keep_it_from_starting() -> None:
    # The second is what it loads later, to look whether a version that was deployed is whole.
    loaded = loaded_by("import device.launcher.__main__, device.artifact.archive") - loaded_by("pass")
    assert {each.split(".")[0] for each in loaded} - set(sys.stdlib_module_names) == {"device"}
    parts = ("artifact", "durable", "runtime", "update", "trust", "link", "hal")
    ours = {each for each in loaded if within(each, *(f"device.{part}" for part in parts))}
    archive = {"archive", "filenames", "headers"}
    reading = {"device.artifact", "device.durable", *(f"device.artifact.{each}" for each in archive)}
    assert ours == {*reading, "device.runtime", "device.runtime.backoff"}


def test_a_launcher_without_a_deployed_version_loads_nothing_that_reads_one() -> None:
    loaded = loaded_by("import device.launcher.__main__ as _") - loaded_by("pass")
    assert not loaded & {"device.artifact.archive", "tarfile", "hashlib"}


def loaded_by(code: str) -> set[str]:
    command = [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"]
    return set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())
