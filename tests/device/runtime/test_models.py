"""Functions that use a model, with the real inference library."""

import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from runtime_bench import alive, until

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


def threads(pid):
    return next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("Threads:"))


def test_a_function_runs_its_model_and_no_zygote_has_threads(bench, presence):
    bench.run(bench.function(CODE, models={"presence": presence}, toml=USES))
    assert 0 <= bench.supervisor.call("f", [100.0] * 32) <= 1
    zygotes = bench.supervisor._zygotes
    assert [threads(pid) for pid in (zygotes.pid, zygotes.inferring_pid)] == ["Threads:\t1"] * 2


def test_the_zygote_with_the_inference_library_lives_only_while_a_function_has_models(bench, presence):
    plain = bench.function("def handler(event, context): return 1", "plain")
    bench.run(plain)
    zygotes = bench.supervisor._zygotes
    assert zygotes.inferring_pid == 0
    bench.run(plain, bench.function(CODE, models={"presence": presence}, toml=USES))
    inferring = zygotes.inferring_pid
    assert alive(inferring)
    assert "onnxruntime" in Path(f"/proc/{inferring}/maps").read_text()
    assert "onnxruntime" not in Path(f"/proc/{zygotes.pid}/maps").read_text()
    bench.run(plain)
    until(lambda: not alive(inferring))
    assert zygotes.inferring_pid == 0
    assert bench.supervisor.call("plain", None) == 1


def test_a_killed_zygote_of_one_kind_leaves_the_functions_of_the_other_alone(bench, presence):
    plain = bench.function("def handler(event, context): return 1", "plain")
    bench.run(plain, bench.function(CODE, models={"presence": presence}, toml=USES))
    worker = bench.worker("plain")
    os.kill(bench.supervisor._zygotes.inferring_pid, signal.SIGKILL)
    until(lambda: bench.health("f").deaths == {"zygote": 1})
    assert 0 <= bench.supervisor.call("f", [100.0] * 32) <= 1
    assert bench.worker("plain") == worker
    assert bench.health("plain").deaths == {}


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
    assert bench.supervisor._zygotes.inferring_pid == 0


def test_runs_of_a_model_are_counted_and_those_over_its_budget(bench, presence):
    manifest = presence.path / "model.toml"
    manifest.write_text(manifest.read_text().replace('latency = "20ms"', 'latency = "1ms"'))
    code = CODE.replace(
        "return ", "model = context.models['presence']; model._manifest.latency = event.data[1]; return "
    )
    code = code.replace("run(event.data)", "run(event.data[0])")
    bench.run(bench.function(code, toml=USES, models={"presence": presence}))

    def slow(budget):
        """How many runs were too slow, after one more. One that waited for a processor is not: so ask again."""
        bench.supervisor.call("f", [[1.0] * 32, budget])
        return bench.health().slow

    until(lambda: slow(0.0) == 2)
    before = bench.health().runs
    assert slow(1000.0) == 2
    assert bench.health().runs == before + 1
