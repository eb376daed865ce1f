"""The proofs asked of a model before a board runs it: the checks themselves.

Runs a stranger's model, so it is called only in the process of its own started by acceptance.py: a model may crash,
hang or eat memory there and takes nothing else along.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from device.errors import BadArtifactError, LamplightError
from device.infer import files, golden, limits, loading, ort, session
from device.infer.result import Result
from device.protocol.model_manifest import ModelManifest
from device.protocol.units import MIB

# A shared machine makes single runs slow; a model is too slow when not one of so many is in time.
_LATENCY_RUNS = 20
# Above the budget, for Python's own use meanwhile; within it, growth is measured and judged at the end.
_SLACK = 32 * MIB


@dataclass(frozen=True)
class Report:
    """The findings: golden vectors passed, the fastest run in seconds, and the memory the model added in bytes."""

    vectors: int
    latency: float
    memory: int


def examine(folder: Path) -> Report:
    """Check the model in `folder` by running it; raises RejectedError with its fault.

    Sets limits on this process for the rest of its life.
    """
    manifest = files.check_files(folder)
    vectors = golden.parse(files.read(folder, files.GOLDEN), manifest)
    ort.prepare()
    before = limits.peak_memory()
    limits.bound_memory(manifest.memory + _SLACK)
    try:
        # The golden vectors, read before and not to be counted, warm it up.
        model = session.opened(folder, manifest)
        _check_golden(model, vectors, manifest)
        latency = _check_latency(model, vectors[0], manifest)
    except Exception as error:
        if _is_out_of_memory(error):
            raise _too_large(manifest, f"more than {(manifest.memory + _SLACK) // MIB} MB") from error
        raise
    memory = limits.peak_memory() - before
    if memory > manifest.memory:
        raise _too_large(manifest, f"{memory / MIB:.0f} MB")
    return Report(len(vectors), latency, memory)


def _check_golden(model: session.Model, vectors: list[golden.Vector], manifest: ModelManifest) -> None:
    """Raise for an output other than the golden one. With a tolerance for labels, only their share decides."""
    alike = 0
    for number, vector in enumerate(vectors):
        result = _run_golden(model, number, vector)
        outputs = result.outputs
        if manifest.labels:
            _check_labels(result, manifest)
        for name, expected in vector.outputs.items():
            if name not in outputs:
                raise _wrong_golden(number, f"it names output {name!r}; the model gives {', '.join(sorted(outputs))}")
            why = golden.fault(expected, outputs[name], manifest.tolerance)
            if why and manifest.tolerance.labels is None:
                raise _wrong_golden(number, f"output {name!r} {why}")
        alike += golden.same_place(vector.outputs, outputs)
    wanted = manifest.tolerance.labels
    if wanted is not None and alike < wanted * len(vectors):
        raise _wrong_golden(0, f"{alike} of {len(vectors)} vectors have their highest number at the golden place")


def _check_labels(result: Result, manifest: ModelManifest) -> None:
    try:
        _ = result.label
    except ValueError as error:
        raise loading.mismatch(manifest, str(error)) from None


def _run_golden(model: session.Model, number: int, vector: golden.Vector) -> Result:
    try:
        model.reset()
        return model.run(vector.inputs)
    except (LamplightError, ValueError) as error:
        raise _wrong_golden(number, str(error)) from error


def _check_latency(model: session.Model, vector: golden.Vector, manifest: ModelManifest) -> float:
    fastest = float("inf")
    for _ in range(_LATENCY_RUNS):
        start = time.perf_counter()
        model.run(vector.inputs)
        fastest = min(fastest, time.perf_counter() - start)
        if fastest <= manifest.latency:
            return fastest
    found = f"the fastest of {_LATENCY_RUNS} runs took {fastest * 1000:.1f} ms"
    raise BadArtifactError(
        f"Model {manifest.name} is too slow for this board",
        f"{found}; model.toml allows {manifest.latency * 1000:g} ms",
        "Make the model smaller, or allow it more time in model.toml",
    )


def _is_out_of_memory(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, MemoryError) or "bad_alloc" in str(error) or "Failed to allocate memory" in str(error):
            return True
        error = error.__cause__
    return False


def _too_large(manifest: ModelManifest, found: str) -> BadArtifactError:
    return BadArtifactError(
        f"Model {manifest.name} takes too much memory",
        f"it took {found}; model.toml allows {manifest.memory // MIB} MB",
        "Make the model smaller, or allow it more memory in model.toml",
    )


def _wrong_golden(number: int, why: str) -> BadArtifactError:
    return BadArtifactError(
        f"The model fails golden vector {number}",
        why,
        "Write golden.json with the same model.onnx; if it is, this board computes it differently and cannot use it",
    )
