"""Attacks on a board by a model; each one in the real child process unless it says otherwise."""

import json
import math
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from onnx import helper

from device.errors import BadArtifactError
from device.infer import acceptance
from device.infer.acceptance import AbandonedError, accept
from tests.support import child_of, until

PATIENT = 60.0


def test_the_committed_model_is_accepted(presence):
    accept(presence, PATIENT)


def test_a_good_model_is_accepted_from_a_relative_path(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    accept(folder.relative_to(folder.parent), PATIENT)


def test_what_is_no_onnx_is_rejected(folder):
    (folder / "model.onnx").write_bytes(b"import os; os.system('true')")
    with pytest.raises(BadArtifactError, match="not an ONNX model"):
        accept(folder, PATIENT)


def test_a_truncated_model_is_rejected(folder):
    data = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(data[: len(data) // 2])
    with pytest.raises(BadArtifactError, match="not an ONNX model"):
        accept(folder, PATIENT)


def test_well_formed_protobuf_that_is_no_model_is_rejected_with_onnxruntimes_reason(folder):
    (folder / "model.onnx").write_bytes(b"\x08\x08\x3a\x00")
    with pytest.raises(BadArtifactError, match="onnxruntime cannot run model double"):
        accept(folder, PATIENT)


@pytest.mark.parametrize("location", ["../outside.bin", "/etc/hostname", "golden.json"])
def test_weights_in_another_file_are_rejected(make, put, location):
    with pytest.raises(BadArtifactError, match="data in other files"):
        accept(put(make.adding(make.external(location))), PATIENT)


@pytest.mark.parametrize(
    ("inputs", "given", "why"),
    [("x = [1, 3]", {"x": [[1, 2, 3]]}, "shape"), ("z = [1, 2]", {"z": [[1, 2]]}, "inputs are 'x', model.toml's 'z'")],
)
def test_another_input_than_the_manifests_is_rejected(put, inputs, given, why):
    golden = {"vectors": [{"inputs": given, "outputs": {"y": [[2, 4]]}}]}
    with pytest.raises(BadArtifactError, match=why):
        accept(put(manifest=f'name = "double"\n[inputs]\n{inputs}', golden=golden), PATIENT)


@pytest.mark.parametrize(
    ("outputs", "why"),
    [
        ({"y": [[2, 4.1]]}, "fails golden vector 1.*differs by 0.1"),
        ({"y": [[2, 4]], "z": [1]}, "fails golden vector 1.*names output 'z'"),
        ({"y": [2, 4]}, r"fails golden vector 1.*has shape \[1, 2\] in place of \[2\]"),
        ({"y": [[math.nan, 4]]}, "NaN"),
    ],
)
def test_a_failing_golden_vector_is_rejected(put, outputs, why):
    good = {"inputs": {"x": [[1, 2]]}, "outputs": {"y": [[2, 4]]}}
    with pytest.raises(BadArtifactError, match=why):
        accept(put(golden={"vectors": [good, {**good, "outputs": outputs}]}), PATIENT)


def test_a_model_that_computes_nan_is_rejected(make, put):
    model = make.of([helper.make_node("Sqrt", ["x"], ["y"])])
    golden = {"vectors": [{"inputs": {"x": [[-1, 4]]}, "outputs": {"y": [[0, 2]]}}]}
    with pytest.raises(BadArtifactError, match="differs by inf"):
        accept(put(model, golden=golden), PATIENT)


def test_a_model_that_fails_on_a_golden_vector_is_rejected(make, put):
    # It looks its inputs up in a table of one: out of bounds for the golden ones.
    nodes = [helper.make_node("Cast", ["x"], ["index"], to=7), helper.make_node("Gather", ["table", "index"], ["y"])]
    model = make.of(nodes, [helper.make_tensor("table", 1, [1], [2.0])])
    with pytest.raises(BadArtifactError, match=r"fails golden vector 0.*Model double failed.*out of"):
        accept(put(model), PATIENT)


def test_no_golden_vectors_are_rejected(put):
    with pytest.raises(BadArtifactError, match="no vectors"):
        accept(put(golden={"vectors": []}), PATIENT)


def test_a_model_that_never_ends_is_rejected_in_time(make, put):
    with pytest.raises(BadArtifactError, match="more than 3 s"):
        accept(put(make.endless()), 3.0)


def test_a_model_over_its_latency_budget_is_rejected(make, put):
    # A hundred thousand rounds take far longer than a millisecond on anything.
    model = make.endless()
    model.graph.initializer[0].CopyFrom(helper.make_tensor("rounds", 7, [], [100_000]))
    golden = {"vectors": [{"inputs": {"x": [[0, 0]]}, "outputs": {"y": [[0, 0]]}}]}
    with pytest.raises(BadArtifactError, match=r"too slow for this board.*model\.toml allows 1 ms"):
        accept(put(model, manifest='name = "slow"\nlatency = "1ms"\n[inputs]\nx = [1, 2]', golden=golden), PATIENT)


def test_a_bomb_of_two_gigabytes_is_rejected_before_it_has_them(make, put):
    with pytest.raises(BadArtifactError, match=r"takes too much memory.*allows 64 MB"):
        accept(put(make.bomb()), PATIENT)


def test_a_model_over_its_memory_budget_is_rejected(make, put):
    model = make.bomb()
    model.graph.initializer[0].CopyFrom(helper.make_tensor("size", 7, [2], [1, 5 * 2**20]))
    golden = {"vectors": [{"inputs": {"x": [[1, 1]]}, "outputs": {"y": [[2, 2]]}}]}
    manifest = 'name = "wide"\nlatency = "9s"\nmemory = "4M"\n[inputs]\nx = [1, 2]'
    with pytest.raises(BadArtifactError, match=r"it took \d+ MB; model.toml allows 4 MB"):
        accept(put(model, manifest=manifest, golden=golden), PATIENT)


@pytest.fixture
def child(tmp_path_factory, monkeypatch):
    """Lets another program stand in the child's place: one that does what a broken onnxruntime might."""

    def become(script):
        program = tmp_path_factory.mktemp("child") / "python"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(sys, "executable", str(program))

    return become


def test_a_child_that_dies_of_a_segmentation_fault_is_a_rejection(folder, child):
    child("kill -SEGV $$")
    with pytest.raises(BadArtifactError, match=r"crashed onnxruntime.*Segmentation fault"):
        accept(folder, PATIENT)


def test_a_child_that_crashes_after_its_verdict_is_a_rejection(folder, child):
    child("""echo '{"accepted": true}'; kill -ABRT $$""")
    with pytest.raises(BadArtifactError, match=r"crashed onnxruntime.*Aborted"):
        accept(folder, PATIENT)


@pytest.mark.parametrize("verdict", ["", "nonsense", "[]", "{}", "null", '{"accepted": "yes"}', '{"accepted": 1}'])
def test_a_child_without_a_proper_verdict_is_a_rejection(folder, child, verdict):
    child(f"echo '{verdict}'")
    with pytest.raises(BadArtifactError):
        accept(folder, PATIENT)


def test_a_child_that_floods_its_output_is_a_rejection(folder, child):
    child("head -c 3000000 /dev/zero | tr '\\0' 'x'")
    with pytest.raises(BadArtifactError, match="crashed"):
        accept(folder, PATIENT)


def test_a_verdict_that_talks_too_much_is_cut(folder, child):
    child(f"""echo '{json.dumps({"accepted": False, "what": "x" * 5000})}'""")
    with pytest.raises(BadArtifactError) as caught:
        accept(folder, PATIENT)
    assert len(caught.value.what) == 300


def test_code_beside_the_model_is_not_imported(folder, monkeypatch):
    for name in ("json.py", "onnxruntime.py", "device.py"):
        (folder / name).write_text("raise SystemExit('imported')")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", f"{os.environ.get('PYTHONPATH', '')}:")
    accept(folder, PATIENT)


def test_the_caller_never_loads_onnxruntime(run_python, folder):
    code = """
import pathlib, sys
from device.infer.acceptance import accept
accept(pathlib.Path(sys.argv[1]), 60.0)
print({"numpy", "onnxruntime"} & set(sys.modules))
"""
    assert run_python(code, folder) == "set()"


def test_the_command_prints_a_verdict_that_a_person_can_read(folder, capsys, monkeypatch):
    monkeypatch.setattr(acceptance.limits, "bound", lambda seconds, written: None)
    (folder / "golden.json").unlink()
    assert acceptance.main([os.fspath(folder)]) == 5
    assert "Not accepted: golden.json is missing" in capsys.readouterr().out


def test_checks_that_nobody_waits_for_any_more_are_given_up(folder, child):
    child("exec sleep 600")
    with pytest.raises(AbandonedError):
        accept(folder, 600, lambda: True)


def test_the_checks_end_with_a_caller_that_is_killed(make, put):
    """A board's agent is killed: a model without end must not stay behind with its memory."""
    command = "import sys; from pathlib import Path; from device.infer import acceptance; "
    command += "acceptance.accept(Path(sys.argv[1]), 600)"
    caller = subprocess.Popen([sys.executable, "-c", command, str(put(make.endless()))])
    checks = child_of(caller.pid)
    # It has come to the model, and so past the point where it learned of its parent.
    until(lambda: "onnxruntime" in Path(f"/proc/{checks}/maps").read_text(), "onnxruntime is loaded")
    caller.kill()
    caller.wait()
    until(lambda: not Path(f"/proc/{checks}").exists(), "the checks are gone")
