"""What tests of several parts share: waiting for a condition, a small model."""

import json
import random
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cloud_shim.cli.keys import confirming

PATIENCE = 60.0  # seconds; only a failing test waits this long


def until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Return when `condition()` is true; fail saying `what` never came true."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(0.01)


def every_release(image: Mapping[str, Any]) -> set[str]:
    """The targets of every release in an image repository, as if a person had confirmed each."""
    return {each.target for each in confirming.listed(image, [], [])}


def ours_below(folder: str) -> set[str]:
    """The names in `folder` on the way to this interpreter's files: there when the clone lies below it."""
    paths = [Path(each) for each in (sys.prefix, *sys.path) if Path(each).is_relative_to(folder)]
    return {each.relative_to(folder).parts[0] for each in paths}


def crowding() -> float:
    """How many times longer a process takes now than on a machine of its own: others use the same processor.

    For the rare period that a test has to give a process: longer than it needs, on any machine.
    """
    began, worked = time.monotonic(), time.process_time()
    while time.process_time() - worked < 0.2:
        pass
    return max(1.0, (time.monotonic() - began) / 0.2)


def child_of(process: int) -> int:
    """The process id of what the process with that id has started, as a launcher its agent (Linux)."""
    until(lambda: _children(process), f"the process {process} has a child")
    return _children(process)[0]


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def small_model(name: str = "presence", weights: int = 8, seed: int = 0) -> dict[str, bytes]:
    """A model's files: adds the mean of `weights` random, tiny float32 numbers to its input `x` of shape [1, 4]."""
    from onnx import TensorProto, helper

    values = bytearray(random.Random(seed).randbytes(4 * weights))
    values[3::4] = bytes(weights)  # sign and exponent: so none is NaN, and the mean is as good as zero
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["w"], ["mean"], keepdims=0),
            helper.make_node("Add", ["x", "mean"], ["y"]),
        ],
        name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])],
        [helper.make_tensor("w", TensorProto.FLOAT, [weights], bytes(values), raw=True)],
    )
    onnx = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    golden = {"vectors": [{"inputs": {"x": [[0.0] * 4]}, "outputs": {"y": [[0.0] * 4]}}]}
    manifest = f'name = "{name}"\n[inputs]\nx = [1, 4]\n'
    return {"model.toml": manifest.encode(), "model.onnx": onnx, "golden.json": json.dumps(golden).encode()}


def bundle_of_ten_files(name: str = "ten-files") -> dict[str, bytes]:
    """A function's files, ten of them and together 40 kB, of lines that do not repeat; the handler answers 1."""
    choice = random.Random(10)
    manifest = f'name = "{name}"\nhandler = "main:handler"\n[[triggers]]\ntype = "start"\n'
    files = {"function.toml": manifest.encode(), "main.py": b"def handler(event, context):\n    return 1\n"}
    for number in range(8):
        lines = [f"value_{choice.getrandbits(64):x} = {choice.getrandbits(64)}\n" for _ in range(100)]
        files[f"part_{number}.py"] = "".join(lines).encode()
    return files


def three_lines_changed(files: dict[str, bytes], seed: int = 1) -> dict[str, bytes]:
    """The same files with one line changed in each of three; another `seed` changes them to something else."""
    choice, changed = random.Random(seed), dict(files)
    for name in ("main.py", "part_2.py", "part_6.py"):
        lines = changed[name].splitlines(keepends=True)
        number = choice.getrandbits(64)
        lines[-1] = b"    return %d\n" % number if name == "main.py" else b"other_%x = %d\n" % (number, number % 1000)
        changed[name] = b"".join(lines)
    return changed
