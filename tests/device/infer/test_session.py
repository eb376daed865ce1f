"""Loading a model and running it, in the real onnxruntime."""

import threading

import numpy as np
import pytest
from onnx import TensorProto, helper

from device.errors import BadArtifactError
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
        {"x": np.array([[[1.5, -2.0]]])},
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
    with pytest.raises(ValueError, match="give each by its name"):
        loaded.run([1, 2])


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
        ('name = "m"\noutputs = ["z"]\n[inputs]\nx = [1, 2]', "no output 'z'; it has 'y'"),
        ('name = "m"\nscores = { output = "z" }\n[inputs]\nx = [1, 2]', "no output 'z'"),
        ('name = "m"\n[inputs]\nx = [1, 2, "n"]', r"shape \[1, 2\], model.toml says \[1, 2, 'n'\]"),
    ],
)
def test_a_model_that_is_not_what_its_manifest_says_is_refused(put, manifest, why):
    with pytest.raises(BadArtifactError, match=why):
        load(put(manifest=manifest))


def test_an_unknown_operation_is_refused_with_onnxruntimes_reason(make, put):
    with pytest.raises(BadArtifactError, match="Nonsense"):
        load(put(make.of([helper.make_node("Nonsense", ["x"], ["y"])])))


def of(make, put, node, inputs, outputs, declared, tensors=()):
    """A loaded model of one node; inputs and outputs are (name, type, shape)."""
    infos = [[helper.make_tensor_value_info(*each) for each in some] for some in (inputs, outputs)]
    return load(put(make.of([node], tensors, *infos), manifest=f'name = "m"\n{declared}'))


def test_an_output_whose_shape_hangs_on_the_values_has_each_runs_own(make, put):
    outputs = [("y", TensorProto.INT64, None)]
    loaded = of(
        make,
        put,
        helper.make_node("NonZero", ["x"], ["y"]),
        [("x", TensorProto.FLOAT, [1, 2])],
        outputs,
        "[inputs]\nx = [1, 2]",
    )
    assert loaded.run([0, 2]).outputs == {"y": [[0], [1]]}
    assert loaded.run([1, 2]).outputs == {"y": [[0, 0], [0, 1]]}
    assert loaded.run([0, 0]).outputs == {"y": [[], []]}


def test_a_free_size_is_each_runs_own(make, put):
    free = [("x", TensorProto.FLOAT, [1, "n"])]
    node = helper.make_node("Add", ["x", "x"], ["y"])
    loaded = of(make, put, node, free, [("y", TensorProto.FLOAT, [1, "n"])], '[inputs]\nx = [1, "n"]')
    assert loaded.run([1.0]).outputs == {"y": [[2.0]]}
    assert loaded.run([[1.0, 2.0, 3.0]]).outputs == {"y": [[2.0, 4.0, 6.0]]}
    assert loaded.run([]).outputs == {"y": [[]]}
    with pytest.raises(ValueError, match=r"has shape \[1, 'n'\]; \[2, 1\] was given"):
        loaded.run([[1.0], [2.0]])


def test_a_shape_that_the_file_claims_wrongly_is_the_values_own(make, put):
    node = helper.make_node("Compress", ["x", "keep"], ["y"])
    keep = helper.make_tensor("keep", TensorProto.BOOL, [2], [True, False])
    given, claimed = [("x", TensorProto.FLOAT, [2])], [("y", TensorProto.FLOAT, ["x_of_two"])]
    loaded = of(make, put, node, given, claimed, "[inputs]\nx = [2]", [keep])
    assert loaded.run([5.0, 6.0]).outputs == loaded.run([5.0, 6.0]).outputs == {"y": [5.0]}


def test_texts_go_in_and_come_out(make, put):
    shape = [("x", TensorProto.STRING, [1, 2])]
    node = helper.make_node("Identity", ["x"], ["y"])
    loaded = of(make, put, node, shape, [("y", TensorProto.STRING, [1, 2])], "[inputs]\nx = [1, 2]")
    assert loaded.run(["grün", ""]).outputs == {"y": [["grün", ""]]}
    with pytest.raises(ValueError, match="takes texts; int 1 was given"):
        loaded.run(["a", 1])


def test_only_the_outputs_that_are_named_are_fetched(make, put):
    nodes = [helper.make_node("Add", ["x", "x"], ["y"]), helper.make_node("Mul", ["x", "x"], ["z"])]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2]) for name in ("y", "z")]
    folder = put(make.of(nodes, outputs=outputs), manifest='name = "m"\noutputs = ["z"]\n[inputs]\nx = [1, 2]')
    assert load(folder).run([2, 3]).outputs == {"z": [[4.0, 9.0]]}


def counting(make, put):
    """A model that adds what it is given to what it has: `total` is the next run's `sum`."""
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2]) for name in ("x", "sum")]
    outputs = [helper.make_tensor_value_info("total", TensorProto.FLOAT, [1, 2])]
    model = make.of([helper.make_node("Add", ["x", "sum"], ["total"])], inputs=inputs, outputs=outputs)
    return put(model, manifest='name = "m"\n[inputs]\nx = [1, 2]\nsum = [1, 2]\n[state]\nsum = "total"')


def test_a_state_goes_from_run_to_run_until_it_is_reset(make, put):
    loaded = load(counting(make, put))
    assert [loaded.run([1, 2]).outputs["total"] for _ in range(3)] == [[[1.0, 2.0]], [[2.0, 4.0]], [[3.0, 6.0]]]
    kept = loaded.state
    loaded.reset()
    assert loaded.run([1, 2]).outputs["total"] == [[1.0, 2.0]]
    loaded.state = kept
    assert loaded.run([1, 2]).outputs["total"] == [[4.0, 8.0]]
    with pytest.raises(ValueError, match="keeps 'sum'; 'x' were given"):
        loaded.state = {"x": [1, 2]}


def test_a_state_is_no_input_for_the_function_and_has_a_shape(make, put):
    folder = counting(make, put)
    with pytest.raises(ValueError, match="has inputs 'x'; 'sum', 'x' were given"):
        load(folder).run({"x": [1, 2], "sum": [0, 0]})
    text = (folder / "model.toml").read_text()
    (folder / "model.toml").write_text(text.replace("sum = [1, 2]", 'sum = [1, "n"]'))
    with pytest.raises(BadArtifactError, match="keeps a state, and must have a shape without free sizes"):
        load(folder)


def test_a_result_stays_as_it_was_when_the_model_runs_again(folder):
    model = load(folder)
    first = model.run([1, 2])
    model.run([7, 8])
    assert first.array().tolist() == [[2.0, 4.0]]


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
