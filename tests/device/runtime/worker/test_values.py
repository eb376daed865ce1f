"""What becomes of a value that the plain encoding does not take: one obvious form, or an error that names the place."""

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import ipaddress
import json
import math
import pathlib
import subprocess
import sys
import types
import uuid
from fractions import Fraction
from typing import Any, NamedTuple

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.runtime.wire.channel import encode
from device.runtime.worker.values import MAX_PARTS, NotJsonError, plain, sendable


class Colour(enum.Enum):
    RED = "red"
    BOTH = (1, "two")
    DEEP = decimal.Decimal("1.5")


class Level(enum.IntEnum):
    LOW = 1


class Word(enum.StrEnum):
    ON = "on"


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


class Place(NamedTuple):
    room: str
    at: object


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    lux: object
    at: datetime.datetime


READING = Reading(numpy.float32(1.5), datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC))
BERLIN = datetime.timezone(datetime.timedelta(hours=2))


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (numpy.float32(1.5), 1.5),
        (numpy.float16(1.5), 1.5),
        (numpy.longdouble(1.5), 1.5),
        (numpy.uint8(200), 200),
        (numpy.bool_(True), True),
        (numpy.str_("a"), "a"),
        (numpy.bytes_(b"a"), {"base64": "YQ=="}),
        (numpy.array([[1, 2], [3, 4]], "int16"), [[1, 2], [3, 4]]),
        (numpy.array(3.5), 3.5),
        (numpy.array([], "float64"), []),
        (numpy.array([True, False]), [True, False]),
        (numpy.array(["a", None], object), ["a", None]),
        (numpy.ma.array([1, 2], mask=[False, True]), [1, None]),
        (numpy.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f4")]), [[1, 2.5]]),
        (numpy.datetime64("2026-01-02T03:04:05.000000006", "ns"), "2026-01-02T03:04:05"),
        (numpy.array(["2026-01-02"], "datetime64[D]"), ["2026-01-02T00:00:00"]),
        (numpy.timedelta64(1500, "ms"), 1.5),
        (array.array("h", [1, 2]), [1, 2]),
        (READING, {"lux": 1.5, "at": "2026-01-02T03:04:05+00:00"}),
        (datetime.datetime(2026, 1, 2, 3, 4, tzinfo=BERLIN), "2026-01-02T03:04:00+02:00"),
        (datetime.datetime(2026, 1, 2), "2026-01-02T00:00:00"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (datetime.time(3, 4), "03:04:00"),
        (datetime.timedelta(minutes=1, milliseconds=500), 60.5),
        (decimal.Decimal("1.10"), "1.10"),
        (Colour.RED, "red"),
        (Colour.BOTH, [1, "two"]),
        (Colour.DEEP, "1.5"),
        ([Level.LOW, Word.ON, Rights.READ | Rights.WRITE], [1, "on", 3]),
        (pathlib.Path("a/b"), "a/b"),
        (pathlib.PureWindowsPath("a\\b"), "a\\b"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (ipaddress.ip_address("192.0.2.1"), "192.0.2.1"),
        (ipaddress.ip_network("2001:db8::/32"), "2001:db8::/32"),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset({"b", "a", 1, None}), [None, 1, "a", "b"]),
        (b"\x00\xff", {"base64": "AP8="}),
        (bytearray(b"a"), {"base64": "YQ=="}),
        (memoryview(b"abc")[1:], {"base64": "YmM="}),
        (Place("hall", datetime.date(2026, 1, 2)), ["hall", "2026-01-02"]),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        (types.SimpleNamespace(a=1), {"a": 1}),
        (collections.ChainMap({"a": 1}), {"a": 1}),
        (collections.UserDict(a=1), {"a": 1}),
        (collections.UserList([1]), [1]),
        (collections.UserString("a"), "a"),
        (collections.deque([1, 2], 2), [1, 2]),
        ({"b": 2}.keys(), ["b"]),
        ({"b": 2}.values(), [2]),
        ({"b": 2}.items(), [["b", 2]]),
        (range(3), [0, 1, 2]),
        ({Colour.RED: 1, datetime.date(2026, 1, 2): 2}, {"red": 1, "2026-01-02": 2}),
        ({numpy.int64(3): b""}, {"3": {"base64": ""}}),
        ({None: b"", True: 1, 2: 3}, {"null": {"base64": ""}, "true": 1, "2": 3}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_one_obvious_form_gets_it(value: object, form: object) -> None:
    assert json.loads(json.dumps(plain(value, "result"))) == form
    encode({"is": "result", "value": plain(value, "result")})


class Angry:
    @property
    def tolist(self) -> object:
        raise RuntimeError("not today")


def generator() -> Any:
    yield 1


LOOP: list[object] = []
LOOP.append({"again": LOOP})
DEEP: object = object()
for _ in range(300):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"readings": [0, 1, 2, Reading(1, datetime)]}, "result.readings[3].at is of the type module"),  # type: ignore[arg-type]
        ({"mean": math.nan}, "result.mean is NaN"),
        ([1, -math.inf], "result[1] is infinite"),
        (numpy.array([[1, numpy.nan]]), "result[0][1] is NaN"),
        (numpy.float32("inf"), "result is infinite"),
        (decimal.Decimal("nan"), "result is NaN"),
        ({"two words": object()}, "result['two words'] is of the type object"),
        (object, "result is the class object, which JSON has no form for: did you mean to call it, with ()?"),
        (test_what_has_one_obvious_form_gets_it, "did you mean to call it, with ()?"),
        (generator(), "send list(…) of it"),
        (map(str, []), "send list(…) of it"),
        (1j, "send its .real and .imag"),
        (numpy.complex64(1j), "send its .real and .imag"),
        (ValueError("no"), "send str(…) of it"),
        (Fraction(1, 3), "result is of the type Fraction"),
        (LOOP, "result[0].again contains itself"),
        (DEEP, "is nested more than 200 levels deep"),
        ({(1, 2): 3}, "result: its key '(1, 2)' is of the type tuple: a key is text"),
        ({b"a": 1}, "a key is text"),
        ({Colour.RED: 1, "red": 2}, "result has two keys that are 'red' in JSON"),
        ({"name": "\udc80"}, "result.name is text with half a character in it"),
        ([10**5000], "result[0] is a number with too many digits"),
        (Angry(), "result cannot be read: RuntimeError: not today"),
        (numpy.zeros(MAX_PARTS + 1), f"result is too large: {MAX_PARTS + 1} values"),
        (range(10**12), f"is too large: more than {MAX_PARTS} values"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_rest_is_an_error_that_names_the_place(value: object, said: str) -> None:
    with pytest.raises(NotJsonError) as error:
        sendable(value, "result")
    assert said in str(error.value)
    str(error.value).encode()
    assert len(str(error.value)) < 400


KEYS = (
    st.text() | st.integers() | st.dates() | st.uuids() | st.none() | st.floats() | st.binary() | st.complex_numbers()
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary()
    | st.decimals()
    | st.fractions()
    | st.datetimes()
    | st.timedeltas()
    | st.uuids()
    | st.complex_numbers()
    | st.ip_addresses()
    | st.sampled_from([*Colour, *Level, object(), print, numpy.float32(2), numpy.arange(3), Reading])
    | st.frozensets(st.integers() | st.text())
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(KEYS, inner)
        | st.tuples(inner, inner)
        | st.builds(Reading, inner, inner)
        | st.builds(Place, st.text(), inner)
        | st.builds(types.SimpleNamespace, a=inner)
        | st.lists(inner).map(collections.deque)
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(VALUES)
def test_any_value_becomes_json_or_an_error_with_its_place(value: object) -> None:
    try:
        form = sendable(value, "result")
    except NotJsonError as error:
        assert str(error).startswith("result")
        str(error).encode()
    else:
        packet = encode({"value": form})
        json.loads(packet, parse_constant=lambda constant: pytest.fail(constant))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(PLAIN)
def test_a_plain_value_stays_itself(value: object) -> None:
    assert sendable(value, "result") is value
    assert plain(value, "result") == value


def test_a_set_has_one_order_in_every_process() -> None:
    code = "from device.runtime.worker.values import plain; print(plain(set('lamplight') | {1, (2, 'x'), None}, ''))"
    said = {
        subprocess.check_output([sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, text=True, cwd=ROOT)
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1


ROOT = pathlib.Path(__file__).parents[4]


def test_numpy_is_not_imported_for_it() -> None:
    code = (
        "import sys, datetime, decimal\n"
        "from device.runtime.worker.values import plain\n"
        "plain([{1}, b'', decimal.Decimal(1), datetime.date.today()], '')\n"
        "assert 'numpy' not in sys.modules and 'asyncio' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
