"""The quick way to run a model where no shape hangs on the values: its inputs and outputs keep their memory.

A free size of an output has its number from an input with a size of the same name, as exporters write batches. Only
tensors of numbers can be bound; session.py has the way for everything else.
"""

from collections.abc import Mapping
from typing import Any

from device.infer.given import Input
from device.infer.tensors import described


class Bound:
    """The memory of one session's inputs and outputs."""

    def __init__(self, session: Any, inputs: Mapping[str, Input], outputs: Mapping[str, Any]) -> None:
        self._session = session
        self._inputs = inputs
        buffers = {name: each.zeros() for name, each in inputs.items()}
        self._flat = {name: buffer.reshape(-1) for name, buffer in buffers.items()}
        self._outputs = outputs
        self._binding = session.io_binding()
        for name, buffer in buffers.items():
            self._binding.bind_cpu_input(name, buffer)
        for name, buffer in outputs.items():
            self._binding.bind_output(name, "cpu", 0, buffer.dtype.type, list(buffer.shape), buffer.ctypes.data)

    @classmethod
    def of(cls, session: Any, inputs: Mapping[str, Input], outputs: Mapping[str, Any]) -> "Bound | None":
        """The session's, or None where an input or an output has no fixed shape, or no numbers."""
        sizes = _named_sizes(session, inputs)
        if sizes is None:
            return None
        made = {name: buffer for name, each in outputs.items() if (buffer := _buffer(each, sizes)) is not None}
        return cls(session, inputs, made) if len(made) == len(outputs) else None

    def fill(self, given: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Put a function's values and the kept state in. Raises ValueError."""
        for name, values in given.items():
            self._inputs[name].fill(self._flat[name], values)
        for name, array in state.items():
            self._flat[name][:] = array.reshape(-1)

    def run(self) -> dict[str, Any]:
        """The outputs by name, each in memory of its own. Raises onnxruntime's own errors."""
        self._session.run_with_iobinding(self._binding)
        return {name: buffer.copy() for name, buffer in self._outputs.items()}


def _named_sizes(session: Any, inputs: Mapping[str, Input]) -> dict[str, int] | None:
    """The numbers of the inputs' free sizes; None where an input has none, or has no numbers at all."""
    sizes: dict[str, int] = {}
    for each in session.get_inputs():
        fixed = inputs[each.name].fixed
        if not fixed or 0 in fixed:
            return None
        for name, size in zip(each.shape, fixed, strict=True):
            if isinstance(name, str) and sizes.setdefault(name, size) != size:
                return None
    return sizes


def _buffer(output: Any, sizes: Mapping[str, int]) -> Any:
    """An array for the output; None for one whose shape the file does not tell, or that has no numbers."""
    import numpy

    kind = described(output.type)
    if kind is None or kind.kind != "tensor" or kind.optional or kind.dtype == "object":
        return None
    shape = [sizes.get(each, 0) if isinstance(each, str) else each for each in output.shape]
    # A shape without sizes is a number's, or one that the file does not tell.
    return numpy.empty(shape, kind.dtype) if shape and all(shape) else None
