"""Transitions of the slots, and what is left of them after a restart."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.protocol.deployment import ArtifactRef, Deployment
from device.protocol.errors import ProtocolError
from device.trust.rules import NOBODY, Signer
from device.update import slots
from device.update.slots import FORMAT, MAX_EVIDENCE, MAX_FAILED, STARTS, Slots, fingerprint
from device.update.trial.baseline import Baseline, Counts


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


SIGNER, LATER, EARLIER = Signer(2, "b" * 64), Signer(3, "c" * 64), Signer(1, "d" * 64)


def test_a_believed_generation_is_the_lowest_to_believe_by_the_same_keys():
    state = slots.believe(slots.believe(Slots(), 5, SIGNER), 3, SIGNER)
    assert (state.floor, state.signer) == (5, SIGNER)
    assert slots.believe(state, 8, SIGNER).floor == 8


def test_later_keys_count_anew_and_earlier_ones_do_not():
    state = slots.believe(Slots(), 5, SIGNER)
    assert slots.believe(state, 3, LATER).floor == 3
    assert slots.believe(state, 3, EARLIER).floor == 5


def test_the_artifacts_and_functions_in_use_are_those_of_every_slot():
    state = slots.begin_trial(committed(committed(Slots(), 1), 2), deployment(3))
    assert state.digests() == {f"{number:064x}" for number in (1, 2, 3)}
    assert state.functions() == {"lamp"}
    assert (Slots().digests(), Slots().functions(), Slots().running) == (set(), set(), None)


def test_the_same_content_under_another_number_leaves_the_one_to_go_back_to():
    state = committed(committed(Slots(), 1), 2)
    state = slots.commit(slots.begin_trial(state, deployment(3, version=2)))
    assert generations(state) == [3, 1, None]


def test_a_failure_is_forgotten_when_its_content_proves_itself_and_no_other():
    state = committed(Slots(), 1)
    for number in (2, 3):
        state = slots.revert(slots.begin_trial(state, deployment(number)), "boom")
    state = slots.commit(slots.begin_trial(state, deployment(4, version=2)))
    assert [each.generation for each in state.failed.values()] == [3]


def test_a_failure_of_the_same_content_is_kept_once_as_the_newest():
    state = committed(Slots(), 1)
    for number, version in ((2, 2), (3, 3), (4, 2)):
        state = slots.revert(slots.begin_trial(state, deployment(number, version=version)), f"boom {number}")
    assert [(each.generation, each.reason) for each in state.failed.values()] == [(3, "boom 3"), (4, "boom 4")]


def test_a_failure_has_the_attempt_of_its_deployment():
    again = deployment(2)
    again.attempt = 7
    state = slots.revert(slots.begin_trial(committed(Slots(), 1), again), "boom", {"kind": "errors"})
    assert list(state.failed.values()) == [slots.Failure(2, "boom", 7, {"kind": "errors"})]
    assert state.starts == 0
    assert state.excused == frozenset()


def test_the_newest_failures_keep_their_evidence():
    state = Slots()
    for number in range(1, MAX_EVIDENCE + 3):
        state = slots.revert(slots.begin_trial(state, deployment(number)), "boom", {"kind": "errors"})
    assert [bool(each.evidence) for each in state.failed.values()] == [False] * 2 + [True] * MAX_EVIDENCE


def test_a_trial_that_the_agent_did_not_survive_says_so_in_its_evidence():
    state = slots.begin_trial(committed(Slots(), 1), deployment(2))
    for _ in range(STARTS):
        state = slots.boot(state)
    (failure,) = state.failed.values()
    assert failure.evidence == {"kind": "boot", "starts": STARTS}
    assert generations(state) == [1, None, None]


def test_excused_content_that_fails_by_itself_is_excused_no_more():
    state = committed(Slots(), 1)
    for kind, excused in (("busy", True), ("errors", False)):
        state = slots.revert(slots.begin_trial(state, deployment(2)), "boom", {"kind": kind})
        assert (fingerprint(deployment(2)) in state.excused) == excused


def counted(events):
    return Baseline({"lamp": Counts(events=events)})


def test_how_the_active_one_did_is_what_a_trial_is_measured_by():
    state = slots.commit(slots.begin_trial(Slots(), deployment(1)), counted(9))
    assert state.baseline == counted(9)
    on_trial = slots.begin_trial(state, deployment(2), counted(20))
    assert on_trial.baseline == counted(20)
    # What a trial that is replaced did says nothing of the active one.
    assert slots.begin_trial(on_trial, deployment(3), counted(30)).baseline == counted(20)
    assert slots.begin_trial(state, deployment(2)).baseline == counted(9)
    assert slots.revert(on_trial, "boom").baseline == counted(20)
    assert slots.commit(on_trial).baseline == Baseline()
    assert slots.lose(state).baseline == Baseline()


def test_a_trial_that_is_lost_is_no_failure_and_leaves_how_the_active_one_did():
    state = slots.commit(slots.begin_trial(Slots(), deployment(1)), counted(9))
    lost = slots.lose(slots.begin_trial(state, deployment(2)))
    assert (generations(lost), lost.starts, lost.baseline) == ([1, None, None], 0, counted(9))


def full():
    state = slots.commit(slots.begin_trial(slots.believe(Slots(), 9, SIGNER), deployment(1)), counted(9))
    for number, kind in ((2, "busy"), (3, "errors")):
        state = slots.revert(slots.begin_trial(state, deployment(number)), "boom", {"kind": kind})
    return slots.begin_trial(slots.accept(state, "f" * 64), deployment(4), counted(10))


def test_every_part_of_the_slots_survives_a_restart(tmp_path):
    state = full()
    slots.save(tmp_path / "slots.json", state)
    again = slots.load(tmp_path / "slots.json")
    assert comparable(again) == comparable(state)
    assert (again.signer, again.excused, again.baseline) == (state.signer, state.excused, state.baseline)
    assert len(again.excused) == 1
    assert again.starts == STARTS - 1


def saved(tmp_path, **changes):
    path = tmp_path / "slots.json"
    slots.save(path, full())
    fields = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in fields.items() if value is not ...}))
    return path


def test_files_of_earlier_agents_have_less(tmp_path):
    less = dict.fromkeys(("signer", "excused", "baseline"), ...)
    bare = [["e" * 64, 1, "boom"]]
    state = slots.load(saved(tmp_path, **less, failed=bare))
    assert (state.signer, state.excused, state.baseline) == (NOBODY, frozenset(), Baseline())
    assert state.failed == {"e" * 64: slots.Failure(1, "boom", 0, {})}
    state = slots.load(saved(tmp_path, failed=[[*bare[0], 5]]))
    assert state.failed == {"e" * 64: slots.Failure(1, "boom", 5, {})}


@pytest.mark.parametrize(
    "changes",
    [
        {"format": FORMAT + 1},
        {"format": ...},
        {"floor": -1},
        {"floor": 2**53},
        {"starts": STARTS + 1},
        {"starts": -1},
        {"failed": ...},
        {"failed": [[]]},
        {"failed": [["e" * 64, 0, "boom"]]},
        {"failed": [["e" * 64, 2**53, "boom"]]},
        {"failed": [["e" * 63, 1, "boom"]]},
        {"failed": [["e" * 64, 1, 5]]},
        {"failed": [["e" * 64, 1, "boom", -1]]},
        {"failed": [["e" * 64, 1, "boom", 0, []]]},
        {"failed": [["e" * 64, 1, "boom", 0, {}, 1]]},
        {"excused": ["x"]},
        {"excused": {}},
        {"accepted": ["x"]},
        {"accepted": ...},
        {"active": 5},
        {"previous": {}},
        {"trial": []},
        {"baseline": []},
        {"signer": []},
    ],
    ids=str,
)
def test_a_file_with_another_shape_is_damaged(tmp_path, changes):
    with pytest.raises(ProtocolError, match="is damaged"):
        slots.load(saved(tmp_path, **changes))


def test_the_fingerprint_is_the_same_in_whatever_order_the_functions_came():
    refs = [ArtifactRef("function", name, 1, "a" * 64, 1000, "") for name in ("door", "lamp")]
    both = [Deployment("home", "pi", 1, {e.name: e for e in order}, {}, {}, 5.0, 3) for order in (refs, refs[::-1])]
    assert fingerprint(both[0]) == fingerprint(both[1])


def test_starts_left_are_none_once_a_trial_is_over():
    on_trial = slots.begin_trial(committed(Slots(), 1), deployment(2))
    assert on_trial.starts == STARTS - 1
    assert [done.starts for done in (slots.commit(on_trial), slots.revert(on_trial, "boom"))] == [0, 0]
