"""Small models, good ones and hostile ones, and a folder that holds one."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

REPOSITORY = Path(__file__).parents[3]
MANIFEST = """\
name = "double"
latency = "1s"
memory = "64M"
[inputs]
x = [1, 2]
"""
GOLDEN = {"vectors": [{"inputs": {"x": [[1.0, 2.0]]}, "outputs": {"y": [[2.0, 4.0]]}}]}


class Makers:
    """Makes ONNX models, from `x` [1, 2] to `y` [1, 2] in float32 unless it says otherwise."""

    @staticmethod
    def of(nodes, tensors=(), inputs=None, outputs=None) -> ModelProto:
        graph = helper.make_graph(
            nodes,
            "test",
            inputs or [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])],
            outputs or [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
            list(tensors),
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    @staticmethod
    def doubling() -> ModelProto:
        return Makers.of([helper.make_node("Add", ["x", "x"], ["y"])])

    @staticmethod
    def adding(tensor: TensorProto) -> ModelProto:
        return Makers.of([helper.make_node("Add", ["x", tensor.name], ["y"])], [tensor])

    @staticmethod
    def external(location: str) -> TensorProto:
        """A tensor [1, 2] whose values lie in the file at `location`."""
        tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1, 2], data_location=TensorProto.EXTERNAL)
        tensor.external_data.add(key="location", value=location)
        return tensor

    @staticmethod
    def endless() -> ModelProto:
        """A loop of 2**62 rounds."""
        body = helper.make_graph(
            [helper.make_node("Identity", ["go_on"], ["again"]), helper.make_node("Add", ["kept", "kept"], ["next"])],
            "body",
            [
                helper.make_tensor_value_info("round", TensorProto.INT64, []),
                helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
                helper.make_tensor_value_info("kept", TensorProto.FLOAT, [1, 2]),
            ],
            [
                helper.make_tensor_value_info("again", TensorProto.BOOL, []),
                helper.make_tensor_value_info("next", TensorProto.FLOAT, [1, 2]),
            ],
        )
        rounds = numpy_helper.from_array(np.array(2**62, np.int64), "rounds")
        true = numpy_helper.from_array(np.array(True), "true")
        return Makers.of([helper.make_node("Loop", ["rounds", "true", "x"], ["y"], body=body)], [rounds, true])

    @staticmethod
    def bomb() -> ModelProto:
        """A few hundred bytes that make two gigabytes of floats when they run."""
        nodes = [
            helper.make_node("ReduceMax", ["x"], ["top"], keepdims=1),
            helper.make_node("Expand", ["top", "size"], ["all"]),
            helper.make_node("ReduceMean", ["all"], ["mean"], keepdims=1),
            helper.make_node("Add", ["x", "mean"], ["y"]),
        ]
        return Makers.of(nodes, [numpy_helper.from_array(np.array([1, 2**29], np.int64), "size")])


@pytest.fixture
def make() -> type[Makers]:
    return Makers


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """Writes a model's folder: a good one, but for what is given."""

    def write(model: ModelProto | None = None, manifest: str = MANIFEST, golden: object = GOLDEN) -> Path:
        (tmp_path / "model.onnx").write_bytes((model or Makers.doubling()).SerializeToString())
        (tmp_path / "model.toml").write_text(manifest)
        (tmp_path / "golden.json").write_text(json.dumps(golden))
        return tmp_path

    return write


@pytest.fixture
def folder(put) -> Path:
    """A model that doubles its two inputs, complete and acceptable."""
    return put()


@pytest.fixture
def presence() -> Path:
    """The folder of the committed model."""
    return REPOSITORY / "models" / "presence"


@pytest.fixture
def run_python() -> Callable[..., str]:
    """Runs code in a fresh interpreter, and gives what it printed."""

    def run(code: str, *arguments: object) -> str:
        path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run
