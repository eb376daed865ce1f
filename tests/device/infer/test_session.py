"""Loading a model and running it, in the real onnxruntime."""

import threading

import numpy as np
import pytest
from onnx import TensorProto, helper

from device.errors import BadArtifactError, LamplightError
from device.infer import files, ort, session


def load(folder):
    return session.load(folder, files.read_manifest(folder))


@pytest.mark.parametrize(
    "values",
    [
        [1.5, -2.0],
        (1.5, -2.0),
        np.array([1.5, -2.0]),
        [[1.5, -2.0]],
        {"x": [1.5, -2.0]},
        {"x": [[1.5, -2.0]]},
        {"x": np.array([[1.5], [-2.0]])},
    ],
)
def test_values_are_taken_flat_nested_or_by_name(folder, values):
    assert load(folder).run(values).outputs == {"y": [[3.0, -4.0]]}


def test_each_run_gives_its_own_outputs(folder):
    model = load(folder)
    first, second = model.run([1, 2]), model.run([3, 4])
    assert (first.outputs["y"], second.outputs["y"]) == ([[2.0, 4.0]], [[6.0, 8.0]])


@pytest.mark.parametrize("count", [0, 1, 31, 33])
def test_a_window_of_another_length_is_refused_and_never_padded(presence, count):
    with pytest.raises(ValueError, match=rf"'lux' takes 32 values \(shape \[1, 32\]\); {count} were given"):
        load(presence).run([100.0] * count)


@pytest.mark.parametrize("values", [["a", "b"], 5, [[1.0], [2.0, 3.0]], "ab"])
def test_what_is_no_number_is_refused(folder, values):
    with pytest.raises(ValueError, match="input 'x' takes"):
        load(folder).run(values)


@pytest.mark.parametrize("values", [{}, {"z": [1, 2]}, {"x": [1, 2], "z": [1]}])
def test_names_that_are_not_the_inputs_are_refused(folder, values):
    with pytest.raises(ValueError, match="has inputs 'x'"):
        load(folder).run(values)


def test_several_inputs_are_given_by_name(make, put):
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in ("a", "b")]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])]
    model = make.of([helper.make_node("Sub", ["a", "b"], ["y"])], inputs=inputs, outputs=outputs)
    loaded = load(put(model, manifest='name = "sub"\n[inputs]\na = [2]\nb = [2]'))
    assert loaded.run({"b": [1, 2], "a": [5, 5]}).outputs == {"y": [4.0, 3.0]}
    with pytest.raises(ValueError, match="give values for each by name"):
        loaded.run([1, 2])


def test_a_number_too_large_for_the_input_is_refused(make, put):
    small = [helper.make_tensor_value_info(name, TensorProto.INT8, [1, 2]) for name in ("x", "y")]
    model = make.of([helper.make_node("Identity", ["x"], ["y"])], inputs=small[:1], outputs=small[1:])
    with pytest.raises(ValueError, match="takes numbers"):
        load(put(model)).run([1, 300])


def test_a_free_batch_size_takes_the_manifests(make, put):
    free = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 2]) for name in ("x", "y")]
    model = make.of([helper.make_node("Add", ["x", "x"], ["y"])], inputs=free[:1], outputs=free[1:])
    assert load(put(model)).run([1, 2]).outputs == {"y": [[2.0, 4.0]]}


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        ('name = "m"\n[inputs]\nz = [1, 2]', "inputs are 'x', model.toml's 'z'"),
        ('name = "m"\n[inputs]\nx = [1, 2]\nz = [1]', "inputs are 'x', model.toml's 'x', 'z'"),
        ('name = "m"\n[inputs]\nx = [2, 1]', r"shape \[1, 2\], model.toml says \[2, 1\]"),
        ('name = "m"\n[inputs]\nx = [2]', r"shape \[1, 2\], model.toml says \[2\]"),
        ('name = "m"\nlabels = ["a", "b", "c"]\n[inputs]\nx = [1, 2]', "2 values for 3 labels"),
    ],
)
def test_a_model_that_is_not_what_its_manifest_says_is_refused(put, manifest, why):
    with pytest.raises(BadArtifactError, match=why):
        load(put(manifest=manifest))


def test_an_input_of_strings_is_refused(make, put):
    text = [helper.make_tensor_value_info(name, TensorProto.STRING, [1, 2]) for name in ("x", "y")]
    model = make.of([helper.make_node("Identity", ["x"], ["y"])], inputs=text[:1], outputs=text[1:])
    with pytest.raises(BadArtifactError, match="cannot be given as numbers"):
        load(put(model))


def test_an_unknown_operation_is_refused_with_onnxruntimes_reason(make, put):
    with pytest.raises(BadArtifactError, match="Nonsense"):
        load(put(make.of([helper.make_node("Nonsense", ["x"], ["y"])])))


def test_an_output_whose_shape_hangs_on_the_values_fails_loudly(make, put):
    outputs = [helper.make_tensor_value_info("y", TensorProto.INT64, None)]
    loaded = load(put(make.of([helper.make_node("NonZero", ["x"], ["y"])], outputs=outputs)))
    with pytest.raises(LamplightError, match="Model double failed"):
        loaded.run([1, 2])


def test_threads_that_share_a_model_get_their_own_results(folder):
    model = load(folder)
    wrong = []

    def work(number):
        for _ in range(300):
            if model.run([number, -number]).outputs["y"] != [[2.0 * number, -2.0 * number]]:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_kept_buffers_give_what_onnxruntime_gives(presence):
    model, plain = load(presence), ort.open_session(presence / "model.onnx")
    rng = np.random.default_rng(5)
    for _ in range(50):
        window = rng.uniform(0, 1000, 32).astype(np.float32)
        (expected,) = plain.run(None, {"lux": window.reshape(1, 32)})
        assert model.run(window.tolist()).value == expected[0, 0]


def test_a_loaded_model_has_no_threads_and_runs_in_a_forked_child(run_python, presence):
    code = """
import os, sys, pathlib
from device.infer import files, ort, session
ort.prepare()
folder = pathlib.Path(sys.argv[1])
model = session.load(folder, files.read_manifest(folder))
child = os.fork()
if child == 0:
    os._exit(0 if model.run([400.0] * 32).label == "absent" else 1)
status = os.waitpid(child, 0)[1]
tasks = pathlib.Path("/proc/self/task")
print(status, len(list(tasks.iterdir())) if tasks.exists() else 1)
"""
    assert run_python(code, presence) == "0 1"


def test_a_board_without_onnxruntime_says_so_and_the_rest_imports(run_python, folder):
    code = """
import sys, pathlib
sys.modules["onnxruntime"] = None
from device.errors import RejectedError
from device.infer import files, session
folder = pathlib.Path(sys.argv[1])
try:
    session.load(folder, files.read_manifest(folder))
except RejectedError as error:
    print(error)
"""
    said = run_python(code, folder)
    assert "This board cannot run ONNX models" in said
    assert "pip install onnxruntime" in said


def test_importing_the_session_imports_neither_onnxruntime_nor_numpy(run_python):
    code = "import device.infer.session, sys; print({'numpy', 'onnxruntime'} & set(sys.modules))"
    assert run_python(code) == "set()"


def test_a_model_of_a_later_time_is_told_with_its_number_and_this_machines(make, put):
    newest = make.doubling()
    newest.ir_version = 99
    with pytest.raises(
        BadArtifactError, match=rf"IR version is 99, and onnxruntime {ort.prepare().__version__} takes up to \d"
    ):
        load(put(newest))
    newest = make.doubling()
    newest.opset_import[0].version = 99
    with pytest.raises(BadArtifactError, match=r"opset is 99, and onnxruntime \S+ takes ai\.onnx up to \d"):
        load(put(newest))
