"""A model ready to run: its session, its inputs and outputs, and the state between its runs.

A handler writes `context.models["presence"].run(event.data["window"]).value`. given.py reads what it gives, result.py
is what it gets. Whether a model may be installed at all is decided in acceptance.py.
"""

import contextlib
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from device.errors import LamplightError
from device.infer import files, golden, loading, ort
from device.infer.bound import Bound
from device.infer.given import Input
from device.infer.meaning import Meaning
from device.infer.result import Result
from device.infer.tensors import Described, described, fits
from device.protocol.model_manifest import ModelManifest


def load(folder: Path, manifest: ModelManifest) -> "Model":
    """The model in `folder`, ready to run at its usual pace. Raises as `opened`."""
    model = opened(folder, manifest)
    model.warm_up(folder)
    return model


def opened(folder: Path, manifest: ModelManifest) -> "Model":
    """The model in `folder`, which has never run.

    Raises RejectedError on a board without onnxruntime, and BadArtifactError when onnxruntime cannot load the model, or
    its inputs or outputs differ from `manifest`.
    """
    ort.prepare()
    try:
        session = ort.open_session(folder / files.MODEL, manifest.threads)
    except Exception as error:  # onnxruntime's own exceptions have no class in common
        raise loading.failure(manifest, error) from error
    return Model(session, manifest)


class Model:
    """One loaded model.

    Where no shape hangs on the values, its buffers are kept from run to run, which costs less than onnxruntime's own
    way; a lock lets only one thread run it at a time.

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
        self._outputs = _outputs(session, manifest)
        self._inputs = _inputs(session, manifest)
        self._given = [name for name in self._inputs if name not in manifest.state]
        self._only = self._given[0] if len(self._given) == 1 else ""
        self._meaning = Meaning(manifest.labels, manifest.scores)
        self._bound = Bound.of(session, self._inputs, self._outputs)
        self._state: dict[str, Any] = {}
        self.reset()

    def warm_up(self, folder: Path) -> None:
        """Run the first golden vector: a session's first run is its slowest. checks.py tells of one that fails.

        No other values would do: on zeros many a detector finds nothing, and some models fail.
        """
        with contextlib.suppress(LamplightError, ValueError):
            self.run(golden.parse(files.read(folder, files.GOLDEN), self._manifest)[0].inputs)
        self.runs = self.slow = 0
        self.reset()

    def reset(self) -> None:
        """Forget what earlier runs left behind: the inputs under `[state]` are zeros again."""
        with self._lock:
            self._state = {name: self._inputs[name].zeros() for name in self._manifest.state}

    @property
    def state(self) -> dict[str, Any]:
        """What the last run leaves to the next: the inputs under `[state]`, as nested lists. May be set.

        A function that keeps it, `context.state["speech"] = model.state`, goes on from there after a restart.
        """
        with self._lock:
            return {name: array.tolist() for name, array in self._state.items()}

    @state.setter
    def state(self, values: Mapping[str, Any]) -> None:
        if set(values) != set(self._manifest.state):
            raise ValueError(f"{self._manifest.name} keeps {_names(self._manifest.state)}; {_names(values)} were given")
        read = {name: self._inputs[name].read(each) for name, each in values.items()}
        with self._lock:
            self._state = read

    def run(self, values: Any) -> Result:
        """Run the model once.

        `values` are those of a model's single input, or map each input's name to its values: numbers as a flat list, as
        nested lists, an array, bytes or a picture. There must be as many as `model.toml` declares: `presence` takes
        exactly 32 readings, and a shorter window is refused instead of padded. Optional inputs may be left out.

        Raises ValueError for another number of values or another shape, for names other than the inputs', and for
        values that are no numbers or cannot be the input's; LamplightError when the model fails.
        """
        given = self._by_name(values)
        with self._lock:
            if self._bound:
                self._bound.fill(given, self._state)
            started, worked = time.perf_counter(), time.process_time()
            found = self._run(given)
            took, worked = time.perf_counter() - started, time.process_time() - worked
            self.runs += 1
            # When other programs had the processor most of the time, the board was slow and not the model.
            self.slow += took > self._manifest.latency and 2 * worked >= took
            for name, output in self._manifest.state.items():
                self._state[name] = found[output]
        return Result(found, self._meaning)

    def _run(self, given: Mapping[str, Any]) -> dict[str, Any]:
        try:
            if self._bound:
                return self._bound.run()
        except Exception:  # onnxruntime's own exceptions have no class in common
            # The shapes of outputs in a file are its author's claim. The other way asks for none, and tells any fault.
            self._bound = None
        feeds = {name: self._inputs[name].read(each) for name, each in given.items()} | self._state
        try:
            return dict(zip(self._outputs, self._session.run([*self._outputs], feeds), strict=True))
        except Exception as error:  # onnxruntime's own exceptions have no class in common
            raise LamplightError(f"Model {self._manifest.name} failed", loading.first_line(error)) from error

    def _by_name(self, values: Sequence[float] | Mapping[str, Any]) -> Mapping[str, Any]:
        if not isinstance(values, Mapping):
            if not self._only:
                raise ValueError(f"{self._manifest.name} has inputs {_names(self._given)}: give each by its name")
            return {self._only: values}
        missing = {name for name in self._given if name not in values and not self._inputs[name].optional}
        if missing or not set(values) <= set(self._given):
            raise ValueError(f"{self._manifest.name} has inputs {_names(self._given)}; {_names(values)} were given")
        return values


def _inputs(session: Any, manifest: ModelManifest) -> dict[str, Input]:
    found = {each.name: each for each in session.get_inputs()}
    if set(found) != set(manifest.inputs):
        raise loading.mismatch(
            manifest, f"the model's inputs are {_names(found)}, model.toml's {_names(manifest.inputs)}"
        )
    return {name: _input(each, manifest) for name, each in found.items()}


def _input(described_by: Any, manifest: ModelManifest) -> Input:
    name, declared = described_by.name, manifest.inputs[described_by.name]
    kind = _type(described_by, manifest, "input")
    if kind.kind == "tensor" and declared is not None and not fits(described_by.shape, declared):
        raise loading.mismatch(manifest, f"input {name!r} has shape {described_by.shape}, model.toml says {declared}")
    read = Input(f"{manifest.name}: input {name!r}", kind, declared, manifest.ranges.get(name))
    if name in manifest.state and read.fixed is None:
        raise loading.mismatch(manifest, f"input {name!r} keeps a state, and must have a shape without free sizes")
    return read


def _outputs(session: Any, manifest: ModelManifest) -> dict[str, Any]:
    """The outputs to be fetched, by name, as onnxruntime describes them."""
    found = {each.name: each for each in session.get_outputs()}
    scored = [manifest.scores.output] if manifest.scores.output else []
    wanted = dict.fromkeys([*(manifest.outputs or found), *manifest.state.values(), *scored])
    for name in wanted:
        if name not in found:
            raise loading.mismatch(manifest, f"the model has no output {name!r}; it has {_names(found)}")
        _type(found[name], manifest, "output")
    return {name: found[name] for name in wanted}


def _type(each: Any, manifest: ModelManifest, what: str) -> Described:
    kind = described(each.type)
    if kind is None:
        raise loading.mismatch(manifest, f"{what} {each.name!r} is a {each.type}, which Python has no numbers for")
    return kind


def _names(names: Any) -> str:
    return ", ".join(repr(name) for name in sorted(names)) or "none"
