"""A deployment survives its encoding, and a malformed one is refused with the field's name."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.protocol import chunks, deployment
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


BYTES = {"version": 2, "sha256": "1" * 64, "length": 100, "index": ""}
PATCH = {"base": "d" * 64, "sha256": "e" * 64, "length": 9, "index": ""}
LAYER = {**BYTES, "name": "x86-64-py311", "sha256": "2" * 64, "patches": [PATCH]}
FULL = {
    "format": 1,
    "fleet": "home",
    "device": "desk-pi",
    "generation": 7,
    "functions": {
        "lamp": {**BYTES, "config": {"x": 1}, "layer": LAYER},
        "door": {**BYTES, "sha256": "3" * 64, "config": {}, "layer": LAYER},
    },
    "models": {"presence": {"version": 1, "sha256": "b" * 64, "length": CHUNK_SIZE + 1, "index": "c" * 64}},
    "agent": {**BYTES, "sha256": "4" * 64, "patches": [PATCH]},
    "trial": {"seconds": 5, "events": 3},
    "attempt": 2,
}


def test_a_deployment_with_everything_is_read_and_written_as_it_was():
    made = deployment.parse(FULL)
    assert made.to_json() == FULL
    assert json.loads(made.encode()) == FULL
    assert made.encode() == json.dumps(FULL, sort_keys=True, separators=(",", ":")).encode()
    assert deployment.decode(made.encode()).encode() == made.encode()


def test_patches_are_chosen_for_every_kind_of_artifact():
    made = deployment.parse(FULL)
    of_agent, of_layer = (f"{each}/2.from-{'d' * 16}.patch" for each in ("agents/lamplight", "layers/x86-64-py311"))
    assert made.with_patches({of_agent, of_layer}).to_json() == FULL
    artifacts = [each.target for each in made.artifacts()]
    for kept in ({of_agent}, {of_layer}, set()):
        assert {each.target for each in made.with_patches(kept).targets()} == {*artifacts, *kept}


def test_its_targets_are_named_by_kind_name_and_version_and_a_shared_layer_counts_once():
    assert [each.target for each in deployment.parse(FULL).targets()] == [
        "functions/door/2.tar",
        "functions/lamp/2.tar",
        "models/presence/1.tar",
        "layers/x86-64-py311/2.tar",
        "layers/x86-64-py311/2.from-dddddddddddddddd.patch",
        "agents/lamplight/2.tar",
        "agents/lamplight/2.from-dddddddddddddddd.patch",
    ]
    assert [each.kind for each in deployment.parse(FULL).parts()] == ["function", "function", "model", "layer"]


def test_its_content_is_what_runs_whatever_its_number_trial_and_patches():
    bytes_of = {key: LAYER[key] for key in BYTES}
    assert deployment.parse(FULL).content() == {
        "functions": {
            "lamp": {**BYTES, "config": {"x": 1}, "layer": bytes_of},
            "door": {**BYTES, "sha256": "3" * 64, "config": {}, "layer": bytes_of},
        },
        "models": FULL["models"],
        "agent": {**BYTES, "sha256": "4" * 64},
    }
    other = {**FULL, "generation": 9, "trial": {"seconds": 1, "events": 0}, "attempt": 0}
    assert deployment.parse(other).content() == deployment.parse(FULL).content()


def test_what_a_deployment_leaves_out_has_a_default():
    assert "attempt" not in deployment.parse(GOOD).to_json(), "agents before there were attempts would refuse it"
    made = deployment.parse(
        {**GOOD, "functions": {"lamp": {"version": 3, "sha256": "a" * 64, "length": 10}}, "models": {}}
    )
    assert (made.attempt, made.agent, made.layers, made.config) == (0, None, {}, {"lamp": {}})
    assert (made.functions["lamp"].index, made.functions["lamp"].patches) == ("", ())


@pytest.mark.parametrize(
    "trial", [{"seconds": 0, "events": 0}, {"seconds": deployment.MAX_TRIAL_SECONDS, "events": 1_000_000}]
)
def test_the_shortest_and_the_longest_trial_pass(trial):
    assert deployment.parse({**FULL, "trial": trial}).to_json()["trial"] == trial


@pytest.mark.parametrize(
    "length", [1, CHUNK_SIZE, CHUNK_SIZE + 1, chunks.MAX_ARTIFACT], ids=["one", "chunk", "two chunks", "longest"]
)
def test_an_artifact_has_an_index_exactly_when_it_is_longer_than_a_chunk(length):
    index = "c" * 64 if length > CHUNK_SIZE else ""
    model = {"version": 1, "sha256": "b" * 64, "length": length, "index": index}
    assert deployment.parse({**FULL, "models": {"m": model}}).models["m"].to_json() == model


def changed(path, value):
    document = copy.deepcopy(FULL)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("attempt",), -1, r"^deployment\.attempt"),
        (("attempt",), 2**53, r"^deployment\.attempt"),
        (("trial", "seconds"), deployment.MAX_TRIAL_SECONDS + 1, r"^deployment\.trial\.seconds"),
        (("trial", "events"), 1_000_001, r"^deployment\.trial\.events"),
        (("trial", "more"), 1, r"^deployment\.trial: unknown key"),
        (("agent",), None, r"^deployment\.agent: expected a table"),
        (("agent", "config"), {}, r"^deployment\.agent: unknown key"),
        (("agent", "layer"), LAYER, r"^deployment\.agent: unknown key"),
        (("agent", "patches", 0, "base"), None, r"^deployment\.agent\.patches\.base"),
        (("functions", "lamp"), 5, r"^deployment\.functions\.lamp: expected a table|lamp: expected a table"),
        (("functions", "lamp", "layer"), None, r"^deployment\.functions\.lamp\.layer: expected a table"),
        (("functions", "lamp", "layer", "name"), "../x", r"^deployment\.functions\.lamp\.layer\.name"),
        (("functions", "lamp", "layer", "config"), {}, r"^deployment\.functions\.lamp\.layer: unknown key"),
        (("functions", "lamp", "layer", "sha256"), "x", r"^deployment\.functions\.lamp\.layer\.sha256"),
        (("functions", "lamp", "length"), chunks.MAX_ARTIFACT + 1, r"^deployment\.functions\.lamp\.length"),
        (("models", "presence", "layer"), LAYER, r"^deployment\.models\.presence: unknown key"),
        (("models", "presence", "index"), "C" * 64, r"^deployment\.models\.presence\.index"),
        (("models", "presence", "version"), 2**53, r"^deployment\.models\.presence\.version"),
    ],
)
def test_a_wrong_part_is_named_by_its_path(path, value, words):
    with pytest.raises(ProtocolError, match=words):
        deployment.parse(changed(path, value))


@pytest.mark.parametrize(
    "value", [float("inf"), "\ud800", [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
)
def test_settings_that_some_reader_of_json_would_refuse_are_refused(value):
    with pytest.raises(ProtocolError, match=r"^deployment"):
        deployment.parse(changed(("functions", "lamp", "config"), {"x": value}))


def test_a_function_without_settings_is_the_same_content_as_one_with_none():
    made = deployment.parse(changed(("functions", "lamp", "config"), {}))
    assert made.replace(config={}).content() == made.content()
    assert made.replace(config={}).to_json() == made.to_json()
