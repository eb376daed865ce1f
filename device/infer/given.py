"""A function's values for a model's input, as the array that the model takes.

A number must be the same number there: a fraction for whole numbers, 300 for eight bits or a text is a ValueError that
says what was given and what is wanted, and never bent in silence. Only leading ones of a shape may differ, and a flat
list of as many values as the shape has stands for the shape. Everything is ndarray's own way of reading: lists, arrays,
`bytes`, `memoryview` and pictures of PIL, without a copy where it needs none.
"""

from collections.abc import Mapping, Sequence
from math import inf, isfinite, prod
from typing import Any

from device.infer.tensors import Described, fits
from device.protocol.model_manifest import Shape

# A list with another sum than these is looked at value by value.
_PLAIN = (int, float)
_BYTES = (bytes, bytearray)


class Input:
    """One input of a model: what it takes, and the reading of it. `where` names it in errors."""

    def __init__(
        self, where: str, described: Described, shape: Shape | None, bounds: tuple[float, float] | None
    ) -> None:
        import numpy

        self._where = where
        self._described = described
        self._shape = shape
        self._bounds = bounds
        self._dtype = numpy.dtype(described.dtype)

    @property
    def fixed(self) -> list[int] | None:
        """Its shape when that is the same in each run, and it takes numbers; None otherwise."""
        if self._described.kind != "tensor" or self._shape is None or self._dtype.kind == "O":
            return None
        sizes = [each for each in self._shape if isinstance(each, int)]
        return sizes if len(sizes) == len(self._shape) else None

    @property
    def optional(self) -> bool:
        """Whether it may be left out."""
        return self._described.optional

    def zeros(self) -> Any:
        """An array of its fixed shape."""
        import numpy

        return numpy.zeros(self.fixed or [], self._dtype)

    def fill(self, flat: Any, values: Any) -> None:
        """Put the values into `flat`, which has one dimension and the size of the fixed shape. Raises ValueError."""
        if not self._bounds and _fills(flat, values):
            return
        flat[:] = self.read(values).reshape(-1)

    def read(self, values: Any) -> Any:
        """The values as the model takes them. Raises ValueError."""
        kind = self._described.kind
        if values is None and self._described.optional:
            return None
        if kind == "sequence":
            return [self._tensor(each, None) for each in self._items(values)]
        if kind == "map":
            return self._map(values)
        return self._tensor(values, self._shape)

    def _items(self, values: Any) -> Sequence[Any]:
        if isinstance(values, (str, bytes, Mapping)) or not hasattr(values, "__len__"):
            raise ValueError(f"{self._where} takes a list of arrays; {_told(values)} was given")
        return values

    def _map(self, values: Any) -> Any:
        if not isinstance(values, dict):
            raise ValueError(f"{self._where} takes a map; {_told(values)} was given")
        return values  # pyright: ignore[reportUnknownVariableType]

    def _tensor(self, values: Any, shape: Shape | None) -> Any:
        array = self._cast(_array(values, self._where, as_they_are=self._dtype.kind == "O"))
        if self._bounds:
            self._check_bounds(array)
        return array if shape is None else _shaped(array, shape, self._where)

    def _cast(self, array: Any) -> Any:
        if array.dtype == self._dtype and array.dtype.kind != "O":
            return array
        if self._dtype.kind == "O":
            return self._texts(array)
        if array.size == 0:
            return array.astype(self._dtype)
        if array.dtype.kind not in "biuf":
            raise ValueError(f"{self._where} takes numbers; {_odd(array)} was given")
        return self._cast_numbers(array)

    def _texts(self, array: Any) -> Any:
        for each in array.flat:
            if not isinstance(each, str):
                raise ValueError(f"{self._where} takes texts; {_told(each)} was given")
        return array

    def _cast_numbers(self, array: Any) -> Any:
        import numpy

        with numpy.errstate(all="ignore"):
            cast = array.astype(self._dtype)
            lost = _lost(array, cast)
        if lost.any():
            raise ValueError(f"{self._where} takes {_range(self._dtype)}; {array[lost].flat[0]} was given")
        return cast

    def _check_bounds(self, array: Any) -> None:
        low, high = self._bounds or (-inf, inf)
        # Written so that NaN is outside.
        outside = ~((array >= low) & (array <= high))
        if outside.any():
            raise ValueError(
                f"{self._where} takes {low:g} to {high:g}, says model.toml; {array[outside].flat[0]} was given"
            )


def _fills(flat: Any, values: Any) -> bool:
    """The quick way, for a plain list of numbers: whether it went; the slow one tells what is wrong."""
    if type(values) is not list or len(values) != flat.size:  # pyright: ignore[reportUnknownArgumentType]
        return False
    try:
        # Cheaper than a look at each value's type: texts, None and lists have no sum with numbers.
        total = sum(values)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        if type(total) not in _PLAIN or (flat.dtype.kind != "f" and type(total) is not int):
            return False
        flat[:] = values
    except (TypeError, ValueError, OverflowError):
        return False
    # Infinite or NaN when one of them is, or became so.
    return flat.dtype.kind in "iu" or flat.dtype.char == "d" or (flat.dtype.char == "f" and isfinite(flat.dot(flat)))


def _lost(array: Any, cast: Any) -> Any:
    """Where `cast` is no longer the number that `array` has. Rounding to a float is what a float is."""
    import numpy

    if cast.dtype.kind == "f":
        return numpy.isinf(cast) & numpy.isfinite(array)
    if cast.dtype.kind == "b":
        return (array != 0) & (array != 1)
    limits = numpy.iinfo(cast.dtype)
    if array.dtype.kind != "f":
        return (array < limits.min) | (array > limits.max)
    # Written so that NaN is lost; the highest whole number may have no float of its own, the one above it has.
    return ~((array == numpy.trunc(array)) & (array >= limits.min) & (array < float(limits.max) + 1))


def _array(values: Any, where: str, as_they_are: bool) -> Any:
    """The values as an array; `as_they_are`, for among texts a number would become one."""
    import numpy

    if isinstance(values, _BYTES):
        return numpy.frombuffer(values, numpy.uint8)
    try:
        return numpy.asarray(values, object if as_they_are else None)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{where} takes numbers in rows of one length: {error}") from None


def _shaped(array: Any, shape: Shape, where: str) -> Any:
    """`array` in `shape`, as a view where possible."""
    free = [each for each in shape if isinstance(each, str)]
    sizes = [each for each in shape if isinstance(each, int)]
    known = prod(sizes)
    if not free and array.size != known:
        raise ValueError(f"{where} takes {known} values (shape {shape}); {array.size} were given")
    if array.ndim <= 1 and array.ndim != len(shape) and _determined(free, known, array.size):
        return array.reshape([each if isinstance(each, int) else array.size // known for each in shape])
    given = [*array.shape]
    while len(given) > len(shape) and given[0] == 1:
        given.pop(0)
    given = [1] * (len(shape) - len(given)) + given
    if not fits(given, shape):
        raise ValueError(f"{where} has shape {shape}; {[*array.shape]} was given")
    return array.reshape(given)


def _determined(free: Sequence[str], known: int, size: int) -> bool:
    """Whether so many values in a row can have only one shape."""
    return not free or (len(free) == 1 and known > 0 and size % known == 0)


def _range(dtype: Any) -> str:
    import numpy

    if dtype.kind == "b":
        return "true or false"
    if dtype.kind == "f":
        return f"numbers from {numpy.finfo(dtype).min:g} to {numpy.finfo(dtype).max:g}"
    return f"whole numbers from {numpy.iinfo(dtype).min} to {numpy.iinfo(dtype).max}"


def _odd(array: Any) -> str:
    """The first value in it that is no number, for a person."""
    if array.dtype.kind == "O":
        for each in array.flat:
            if isinstance(each, bool) or not isinstance(each, (int, float)):
                return _told(each)
        return f"{max(array.flat, key=abs)}, beyond 64 bits,"
    return _told(array.flat[0].item())


def _told(value: Any) -> str:
    text = repr(value)
    return "None" if value is None else f"{type(value).__name__} {text if len(text) <= 40 else text[:37] + '…'}"
