"""A deployment survives its encoding, and a malformed one is refused with the field's name."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.protocol import deployment
from device.protocol.chunks import CHUNK_SIZE
from device.protocol.errors import ProtocolError
from tests.device.protocol.strategies import deployments, values

GOOD = {
    "format": 1,
    "fleet": "home",
    "device": "desk-pi",
    "generation": 7,
    "functions": {
        "lamp": {
            "version": 3,
            "sha256": "a" * 64,
            "length": 10240,
            "index": "",
            "config": {"x": 1},
            "patches": [{"base": "d" * 64, "sha256": "e" * 64, "length": 104, "index": ""}],
        }
    },
    "models": {"presence": {"version": 1, "sha256": "b" * 64, "length": CHUNK_SIZE + 1, "index": "c" * 64}},
    "trial": {"seconds": 5, "events": 3},
}


@given(deployments())
def test_it_survives_its_encoding(made):
    again = deployment.decode(made.encode())
    assert again.to_json() == made.to_json()
    assert again.encode() == made.encode()


@given(deployments())
def test_every_artifact_has_a_target_of_its_own(made):
    targets = [ref.target for ref in made.targets()]
    patches = [patch for ref in made.artifacts() for patch in ref.patches]
    assert len(set(targets)) == len(targets) == len(made.functions) + len(made.models) + len(patches)


@given(deployments())
def test_how_it_travels_is_no_part_of_what_it_is(made):
    without = made.with_patches(set())
    assert without.content() == made.content()
    assert b"patches" not in without.encode()


def test_patches_are_chosen_by_their_targets():
    made = deployment.parse(GOOD)
    assert made.with_patches({"functions/lamp/3.from-dddddddddddddddd.patch"}).to_json() == made.to_json()
    assert made.with_patches({"functions/lamp/3.tar"}).functions["lamp"].to_json() == made.functions["lamp"].content()


WRONG = [
    (("format",), 2, "format"),
    (("fleet",), "Home", "fleet"),
    (("device",), "../x", "device"),
    (("generation",), 0, "generation"),
    (("generation",), 1.5, "generation"),
    (("generation",), True, "generation"),
    (("generation",), 2**53, "generation"),
    (("functions", "lamp", "version"), 0, "version"),
    (("functions", "lamp", "sha256"), "A" * 64, "sha256"),
    (("functions", "lamp", "length"), 0, "length"),
    (("functions", "lamp", "length"), CHUNK_SIZE + 1, "index"),
    (("functions", "lamp", "index"), "c" * 64, "index"),
    (("functions", "lamp", "config"), [], "config"),
    (("functions", "lamp", "colour"), "red", "unknown key"),
    (("functions", "lamp", "patches"), {}, "patches"),
    (("functions", "lamp", "patches"), ["e" * 64], "patches"),
    (("functions", "lamp", "patches"), 4 * GOOD["functions"]["lamp"]["patches"], "at most 3"),
    (("functions", "lamp", "patches", 0, "base"), "D" * 64, "base"),
    (("functions", "lamp", "patches", 0, "sha256"), 1, "sha256"),
    (("functions", "lamp", "patches", 0, "length"), 0, "length"),
    (("functions", "lamp", "patches", 0, "length"), CHUNK_SIZE + 1, "index"),
    (("functions", "lamp", "patches", 0, "window"), 27, "unknown key"),
    (("functions", "Lamp"), {}, "is not a name"),
    (("models", "presence", "config"), {}, "unknown key"),
    (("models", "presence", "index"), "", "index"),
    (("trial", "seconds"), -1, "seconds"),
    (("trial", "seconds"), float("nan"), "finite"),
    (("trial", "seconds"), float("inf"), "finite"),
    (("trial", "events"), 0.5, "events"),
    (("models",), [], "models"),
    (("more",), 1, "unknown key"),
]


@pytest.mark.parametrize(("path", "value", "words"), WRONG)
def test_a_wrong_field_is_named(path, value, words):
    document = copy.deepcopy(GOOD)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(ProtocolError, match=words):
        deployment.decode(json.dumps(document).encode())


@pytest.mark.parametrize("key", GOOD)
def test_a_missing_field_is_refused(key):
    with pytest.raises(ProtocolError, match=key):
        deployment.parse({name: value for name, value in GOOD.items() if name != key})


@given(st.binary(max_size=300) | values.map(lambda value: json.dumps(value).encode()))
def test_noise_is_refused(data):
    with pytest.raises(ProtocolError):
        deployment.decode(data)


def test_a_number_too_long_to_convert_is_refused():
    with pytest.raises(ProtocolError):
        deployment.decode(b'{"generation": ' + b"9" * 10_000 + b"}")
