"""A model ready to run: its session, its inputs' and outputs' buffers.

A handler writes `context.models["presence"].run(event.data["window"]).value`. Whether a model may be installed at all
is decided in acceptance.py.
"""

import re
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from device.errors import BadArtifactError, LamplightError
from device.infer import ort
from device.infer.files import MODEL
from device.infer.result import Result, label_scores
from device.protocol.manifest import ModelManifest

# onnxruntime's words for a model of a later time (core/graph/model.cc, model_load_utils.h).
_FORM = re.compile(r"model IR version: (\d+), max supported IR version: (\d+)")
_OPERATORS = re.compile(r"Opset (\d+) is under development.*support for domain (\S+) is till opset (\d+)", re.DOTALL)
# The types to be filled by a list of numbers: onnxruntime's names, and numpy's.
_TYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int8)": "int8",
    "tensor(uint8)": "uint8",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
}


def load(folder: Path, manifest: ModelManifest) -> "Model":
    """The model in `folder`, ready to run; it has run once, on zeros, to learn its outputs' shapes.

    Raises RejectedError on a board without onnxruntime, and BadArtifactError when onnxruntime cannot load the model, or
    its inputs, outputs or labels differ from `manifest`.
    """
    ort.prepare()
    try:
        session = ort.open_session(folder / MODEL)
    except Exception as error:  # onnxruntime's own exceptions have no class in common
        raise _unloadable(manifest, error) from error
    return Model(session, manifest)


class Model:
    """One loaded model.

    Its buffers are kept from run to run: this costs less than onnxruntime's own way from Python values and back; a lock
    lets only one thread run it at a time.

    Examples:
        >>> result = context.models["presence"].run([300.0] * 32)
        >>> result.label
        'absent'
        >>> sorted(result.scores)
        ['absent', 'present']
        >>> result.value < 0.5
        True
    """

    def __init__(self, session: Any, manifest: ModelManifest) -> None:
        self._session = session
        self._manifest = manifest
        self._lock = threading.Lock()
        self.runs = 0
        self.slow = 0
        inputs = _input_buffers(session, manifest)
        self._outputs = _output_buffers(session, manifest, inputs)
        self._binding = _bind(session, inputs, self._outputs)
        self._flat = {name: buffer.reshape(-1) for name, buffer in inputs.items()}
        self._only = next(iter(self._flat)) if len(self._flat) == 1 else ""
        _check_labels(manifest, self._outputs)

    def run(self, values: Sequence[float] | Mapping[str, Any]) -> Result:
        """Run the model once.

        `values` is a flat list for a model with a single input, or maps each input's name to its values, flat or
        nested. They are put into the input's shape in order, so there must be as many as `model.toml` declares:
        `presence` takes exactly 32 readings, and a shorter window is refused instead of padded.

        Raises ValueError for another number of values, for names other than the inputs', and for values other than
        numbers; LamplightError when the model fails.
        """
        given = self._by_name(values)
        with self._lock:
            for name, flat in self._flat.items():
                self._fill(name, flat, given[name])
            started, worked = time.perf_counter(), time.process_time()
            try:
                self._session.run_with_iobinding(self._binding)
            except Exception as error:  # onnxruntime's own exceptions have no class in common
                raise LamplightError(f"Model {self._manifest.name} failed", _first_line(error)) from error
            self.runs += 1
            took, worked = time.perf_counter() - started, time.process_time() - worked
            # When other programs had the processor most of the time, the board was slow and not the model.
            self.slow += took > self._manifest.latency and 2 * worked >= took
            return Result({name: buffer.tolist() for name, buffer in self._outputs.items()}, self._manifest.labels)

    def _by_name(self, values: Sequence[float] | Mapping[str, Any]) -> Mapping[str, Any]:
        if not isinstance(values, Mapping):
            if not self._only:
                raise ValueError(f"{self._manifest.name} has inputs {_names(self._flat)}: give values for each by name")
            return {self._only: values}
        if set(values) != set(self._flat):
            raise ValueError(f"{self._manifest.name} has inputs {_names(self._flat)}; {_names(values)} were given")
        return values

    def _fill(self, name: str, flat: Any, values: Any) -> None:
        try:
            if len(values) == flat.size:
                flat[:] = values
                return
        except (TypeError, ValueError, OverflowError):
            pass  # nested, or no numbers: the slower way tells which
        flat[:] = self._flattened(name, flat, values)

    def _flattened(self, name: str, flat: Any, values: Any) -> Any:
        import numpy

        where = f"{self._manifest.name}: input {name!r}"
        try:
            array = numpy.asarray(values, dtype=flat.dtype)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"{where} takes numbers: {error}") from None
        if array.size != flat.size:
            shape = self._manifest.inputs[name]
            raise ValueError(f"{where} takes {flat.size} values (shape {shape}); {array.size} were given")
        return array.reshape(-1)


def _input_buffers(session: Any, manifest: ModelManifest) -> dict[str, Any]:
    import numpy

    found = {each.name: each for each in session.get_inputs()}
    if set(found) != set(manifest.inputs):
        raise _mismatch(manifest, f"the model's inputs are {_names(found)}, model.toml's {_names(manifest.inputs)}")
    for name, each in found.items():
        if each.type not in _TYPES:
            raise _mismatch(manifest, f"input {name!r} is a {each.type}, which cannot be given as numbers")
        if not _fits(each.shape, manifest.inputs[name]):
            raise _mismatch(manifest, f"input {name!r} has shape {each.shape}, model.toml says {manifest.inputs[name]}")
    return {name: numpy.zeros(shape, _TYPES[found[name].type]) for name, shape in manifest.inputs.items()}


def _fits(shape: Sequence[int | str | None], declared: Sequence[int]) -> bool:
    # A dimension without a number, such as a batch size, takes any.
    return len(shape) == len(declared) and all(
        not isinstance(size, int) or size == wanted for size, wanted in zip(shape, declared, strict=True)
    )


def _output_buffers(session: Any, manifest: ModelManifest, inputs: Mapping[str, Any]) -> dict[str, Any]:
    described = session.get_outputs()
    for each in described:
        if each.type not in _TYPES:
            raise _mismatch(manifest, f"output {each.name!r} is a {each.type}; only tensors of numbers can be read")
    try:
        values = session.run(None, dict(inputs))
    except Exception as error:  # onnxruntime's own exceptions have no class in common
        raise _unloadable(manifest, error) from error
    return {each.name: value for each, value in zip(described, values, strict=True)}


def _bind(session: Any, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> Any:
    binding = session.io_binding()
    for name, buffer in inputs.items():
        binding.bind_cpu_input(name, buffer)
    for name, buffer in outputs.items():
        binding.bind_output(name, "cpu", 0, buffer.dtype.type, list(buffer.shape), buffer.ctypes.data)
    return binding


def _check_labels(manifest: ModelManifest, outputs: Mapping[str, Any]) -> None:
    if not manifest.labels:
        return
    try:
        label_scores(next(iter(outputs.values())).tolist(), manifest.labels)
    except ValueError as error:
        raise _mismatch(manifest, str(error)) from None


def _mismatch(manifest: ModelManifest, why: str) -> BadArtifactError:
    return BadArtifactError(
        f"Model {manifest.name} is not what its model.toml says", why, "Correct model.toml, or export the model again"
    )


def _unloadable(manifest: ModelManifest, error: Exception) -> BadArtifactError:
    if newer := _newer(str(error)):
        return BadArtifactError(f"Model {manifest.name} is newer than this machine's onnxruntime", *newer)
    return BadArtifactError(
        f"onnxruntime cannot run model {manifest.name}",
        _first_line(error),
        "Export it again, for an opset that the board's onnxruntime knows (17 or lower is safe)",
    )


def _newer(said: str) -> tuple[str, str] | None:
    """Why, and what to do, when onnxruntime says that the file's form or operators are of a later time."""
    if form := _FORM.search(said):
        has, takes = form.groups()
        why = f"its IR version is {has}, and onnxruntime {ort.prepare().__version__} takes up to {takes}"
        return why, f"Save it for that version (model.ir_version = {takes}), or upgrade the board"
    if operators := _OPERATORS.search(said):
        has, domain, takes = operators.groups()
        why = f"its opset is {has}, and onnxruntime {ort.prepare().__version__} takes {domain} up to {takes}"
        return why, f"Export it for that opset (opset_version={takes}), or upgrade the board"
    return None


def _names(mapping: Mapping[str, Any]) -> str:
    return ", ".join(repr(name) for name in sorted(mapping)) or "none"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
