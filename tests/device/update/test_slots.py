"""Transitions of the slots, and what is left of them after a restart."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.protocol.deployment import ArtifactRef, Deployment
from device.protocol.errors import ProtocolError
from device.update import slots
from device.update.slots import MAX_FAILED, STARTS, Slots, fingerprint


def deployment(generation, version=None, **config):
    version = version or generation
    ref = ArtifactRef("function", "lamp", version, f"{version:064x}", 1000, "")
    return Deployment("home", "desk-pi", generation, {"lamp": ref}, {}, {"lamp": config}, 5.0, 3)


def committed(state, generation):
    return slots.commit(slots.begin_trial(state, deployment(generation)))


def generations(state):
    return [each and each.generation for each in (state.active, state.previous, state.trial)]


def test_a_trial_that_is_committed_moves_the_active_one_back():
    state = slots.begin_trial(committed(Slots(), 1), deployment(2))
    assert generations(state) == [1, None, 2]
    assert state.running.generation == 2
    assert generations(slots.commit(state)) == [2, 1, None]


def test_a_trial_that_is_reverted_is_remembered_by_its_content():
    state = slots.revert(slots.begin_trial(committed(Slots(), 1), deployment(2)), "boom")
    assert generations(state) == [1, None, None]
    assert state.failed[fingerprint(deployment(3, version=2))] == slots.Failure(2, "boom")


def test_the_fingerprint_is_the_content_and_not_the_number():
    assert fingerprint(deployment(1)) == fingerprint(deployment(2, version=1))
    assert fingerprint(deployment(1)) != fingerprint(deployment(2))
    assert fingerprint(deployment(1, x=1)) != fingerprint(deployment(1, x=2))


def test_a_trial_is_started_a_few_times_and_then_reverted():
    state = slots.begin_trial(committed(Slots(), 1), deployment(2))
    for _ in range(STARTS - 1):
        state = slots.boot(state)
        assert state.running.generation == 2
    state = slots.boot(state)
    assert state.running.generation == 1
    assert "did not survive it 3 times" in state.failed[fingerprint(deployment(2))].reason
    assert slots.boot(state) == state


def test_a_newer_trial_replaces_one_and_has_starts_of_its_own():
    state = slots.boot(slots.begin_trial(committed(Slots(), 1), deployment(2)))
    state = slots.begin_trial(state, deployment(3))
    assert (generations(state), state.starts, dict(state.failed)) == ([1, None, 3], STARTS - 1, {})


def test_what_is_damaged_falls_back():
    state = slots.begin_trial(committed(committed(Slots(), 1), 2), deployment(3))
    state = slots.lose(state)
    assert (generations(state), dict(state.failed)) == ([2, 1, None], {})
    assert generations(slots.lose(state)) == [1, None, None]
    assert generations(slots.lose(slots.lose(state))) == [None, None, None]


def test_only_so_many_failures_are_remembered():
    state = Slots()
    for generation in range(1, MAX_FAILED + 5):
        state = slots.revert(slots.begin_trial(state, deployment(generation)), "boom")
    assert len(state.failed) == MAX_FAILED
    assert fingerprint(deployment(1)) not in state.failed


def test_accepted_models_are_forgotten_with_the_deployments_that_used_them():
    model = ArtifactRef("model", "m", 1, "f" * 64, 1000, "")
    using = Deployment("home", "desk-pi", 1, {}, {"m": model}, {}, 5.0, 3)
    state = slots.accept(slots.accept(Slots(), "f" * 64), "e" * 64)
    state = slots.commit(slots.begin_trial(state, using))
    assert state.accepted == {"f" * 64}
    assert committed(committed(state, 2), 3).accepted == frozenset()


TRANSITIONS = {
    "begin": lambda state, n: slots.begin_trial(slots.believe(state, n), deployment(n, x=[n, "é"])),
    "boot": lambda state, n: slots.boot(state),
    "commit": lambda state, n: slots.commit(state) if state.trial else state,
    "revert": lambda state, n: slots.revert(state, f"reason {n}\n") if state.trial else state,
    "lose": lambda state, n: slots.lose(state),
    "accept": lambda state, n: slots.accept(state, f"{n:064x}"),
}


def comparable(state):
    encoded = [each and each.encode() for each in (state.active, state.previous, state.trial)]
    return encoded, state.floor, state.starts, list(state.failed.items()), state.accepted


@given(st.lists(st.sampled_from(sorted(TRANSITIONS)), max_size=20))
def test_any_state_survives_a_restart(tmp_path_factory, steps):
    state = Slots()
    for number, step in enumerate(steps, 1):
        before = state
        state = TRANSITIONS[step](state, number)
        assert step == "lose" or before.active is None or state.active is not None
    path = tmp_path_factory.getbasetemp() / "slots.json"
    slots.save(path, state)
    assert comparable(slots.load(path)) == comparable(state)


def test_no_file_is_an_empty_board(tmp_path):
    assert slots.load(tmp_path / "none") == Slots()


@given(cut=st.integers(0, 400), noise=st.binary(max_size=5))
def test_a_damaged_file_is_said_to_be_so(tmp_path_factory, cut, noise):
    path = tmp_path_factory.getbasetemp() / "damaged.json"
    slots.save(path, slots.begin_trial(committed(Slots(), 1), deployment(2)))
    path.write_bytes(path.read_bytes()[:cut] + noise)
    with pytest.raises(ProtocolError, match="damaged"):
        slots.load(path)


def test_what_a_later_version_of_the_agent_added_is_passed_over(tmp_path):
    """It was given up, and the version before goes on with the same file."""
    state = committed(committed(Slots(), 1), 2)
    slots.save(tmp_path / "slots.json", state)
    fields = json.loads((tmp_path / "slots.json").read_text())
    (tmp_path / "slots.json").write_text(json.dumps({**fields, "later": {"than": "this"}}))
    again = slots.load(tmp_path / "slots.json")
    assert generations(again) == generations(state)


def test_what_was_excused_is_kept_and_read_by_an_agent_that_knows_it_and_by_one_that_does_not(tmp_path):
    state = slots.revert(slots.begin_trial(committed(Slots(), 1), deployment(2)), "too busy", {"kind": "busy"})
    slots.save(tmp_path / "slots.json", state)
    assert slots.load(tmp_path / "slots.json").excused == {fingerprint(deployment(2))}
    written = json.loads((tmp_path / "slots.json").read_text())
    # The release before wrote neither.
    del written["excused"], written["baseline"]["triggers"]
    (tmp_path / "slots.json").write_text(json.dumps(written))
    before = slots.load(tmp_path / "slots.json")
    assert (before.excused, before.failed) == (frozenset(), state.failed)


def test_what_is_no_longer_remembered_is_no_longer_excused():
    state = committed(Slots(), 1)
    for number in range(2, MAX_FAILED + 4):
        state = slots.revert(slots.begin_trial(state, deployment(number)), "busy", {"kind": "busy"})
    assert state.excused == state.failed.keys()
    state = slots.commit(slots.begin_trial(state, deployment(MAX_FAILED + 4, version=MAX_FAILED + 3)))
    assert state.excused == state.failed.keys()
