"""Bad bundles, models and manifests: a clear error at the earliest place, and what runs goes on running."""

import io
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import DEVICE, Fleet
from tests.support import until

MODEL = Path(__file__).parents[2] / "models" / "presence"


def generation(fleet: Fleet) -> int:
    return int(fleet.device(DEVICE)["desired"]["generation"])


def write(name: str, text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(text) and None


def append(name: str, text: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).write_text((folder / name).read_text() + text)

    return change


def link_out(folder: Path) -> None:
    (folder / "out.py").symlink_to("/etc/passwd")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (write("main.py", "def other(event, context): ...\n"), "handler"),
        (write("main.py", "def handler(event, context:\n"), "main.py"),
        (append("function.toml", '\n[[triggers]]\ntype = "telepathy"\n'), "telepathy"),
        (append("function.toml", "\nthis is no toml"), "function.toml"),
        (append("function.toml", '\n[pins.motor]\ndirection = "out"\n'), "motor"),
        (link_out, "link"),
    ],
    ids=["missing-handler", "syntax-error", "unknown-trigger", "not-toml", "pin-the-board-lacks", "link-out"],
)
def test_a_bad_bundle_is_refused_at_deploy(
    fleet: Fleet, night_light: Path, spoil: Callable[[Path], None], told: str
) -> None:
    before = generation(fleet)
    spoil(night_light)
    refused = fleet.run("deploy", str(night_light), "--device", DEVICE, code=5)
    assert told in refused.stderr
    assert "Traceback" not in refused.stderr
    assert generation(fleet) == before


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize(
    "body",
    [
        tar((tarfile.TarInfo("../../evil.py"), b"x")),
        tar((tarfile.TarInfo("/etc/evil.py"), b"x")),
        b"not a tar at all",
        b"",
        tar((tarfile.TarInfo("function.toml"), b"\x00" * 10)),
    ],
    ids=["traversal", "absolute", "not-a-tar", "empty", "binary-manifest"],
)
def test_a_hostile_upload_is_refused_by_the_shim(fleet: Fleet, body: bytes) -> None:
    request = urllib.request.Request(f"{fleet.url}/api/releases", data=body, headers=fleet.token(), method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code in (400, 422)
    assert b'"what"' in refused.value.read()


def model_copy(folder: Path) -> Path:
    import shutil

    return Path(shutil.copytree(MODEL, folder / "presence", ignore=shutil.ignore_patterns("__pycache__", "*.py")))


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("model.onnx", "", "not ONNX", "ONNX"),
        ("model.toml", "[1, 32]", "[1, 16]", "shape"),
        ("golden.json", "0.", "7.", "golden"),
    ],
    ids=["not-onnx", "wrong-input-shape", "failing-golden-vectors"],
)
def test_a_bad_model_is_refused(fleet: Fleet, tmp_path: Path, name: str, old: str, new: str, told: str) -> None:
    folder = model_copy(tmp_path)
    target = folder / name
    text = target.read_text().replace(old, new) if old else new
    target.write_text(text)
    before = generation(fleet)
    refused = fleet.run("deploy", str(folder), "--device", DEVICE, code=5)
    assert told.lower() in refused.stderr.lower()
    assert generation(fleet) == before


def test_a_function_that_crashes_is_reverted_by_the_board_and_its_neighbour_unharmed(
    fleet: Fleet, night_light: Path, tmp_path: Path
) -> None:
    crashing = tmp_path / "crashing"
    fleet.run("new", "blink", str(crashing))
    (crashing / "function.toml").write_text(
        'name = "crashing"\nhandler = "main:handler"\n[[triggers]]\ntype = "timer"\nevery = "50ms"\n'
    )
    (crashing / "main.py").write_text("import os\n\ndef handler(event, context):\n    os.abort()\n")
    refused = fleet.run("deploy", str(crashing), "--device", DEVICE, code=5)
    assert "crash" in refused.stderr.lower()
    until(lambda: "crashing" not in fleet.device(DEVICE)["reported"]["functions"], "it is gone")
    seen = len(fleet.decisions())
    until(lambda: len(fleet.decisions()) > seen, "night-light goes on")
    fleet.run("sim", "cover", "--device", DEVICE)
    fleet.led_becomes(True)
    # What failed once is not tried again, and does not stand in the way of the next deployment.
    fleet.run("rollback", DEVICE)
