"""Functions that use a model, with the real inference library."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from device.errors import RejectedError
from device.generation import InstalledModel
from device.infer import files

PRESENCE = Path(__file__).parents[3] / "models" / "presence"
CODE = "def handler(event, context): return context.models['presence'].run(event.data).value"
USES = 'models = ["presence"]\nmemory = "32M"'


@pytest.fixture
def presence(tmp_path):
    folder = tmp_path / "presence"
    folder.mkdir()
    for name in files.MODEL_FILES:
        shutil.copy(PRESENCE / name, folder)
    return InstalledModel("presence", 1, "1" * 64, folder, files.read_manifest(folder))


def test_a_function_runs_its_model_and_the_zygote_stays_without_threads(bench, presence):
    bench.run(bench.function(CODE, models={"presence": presence}, toml=USES))
    assert 0 <= bench.supervisor.call("f", [100.0] * 32) <= 1
    zygote = bench.supervisor._forker.pid
    assert "Threads:\t1\n" in Path(f"/proc/{zygote}/status").read_text()


def test_a_new_model_makes_a_new_worker_of_the_same_function(bench, presence):
    function = bench.function(CODE, models={"presence": presence}, toml=USES)
    bench.run(function)
    before = bench.worker("f")
    bench.run(replace(function, models={"presence": replace(presence, version=2, digest="2" * 64)}))
    assert bench.worker("f") != before


def test_a_model_that_cannot_be_loaded_is_refused_with_the_reason(bench, presence):
    (presence.path / files.MODEL).write_bytes(b"not a model")
    with pytest.raises(RejectedError, match="presence"):
        bench.supervisor.check(bench.generation(bench.function(CODE, models={"presence": presence}, toml=USES)))
