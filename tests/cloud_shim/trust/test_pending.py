"""An offer with a new root waits for signatures, and comes with all of them."""

import pytest

from cloud_shim.trust.pending import Pending
from tests.cloud_shim.trust.test_root_metadata import IDS, kept, root, signed

PRESENT = signed(root(0), 0)
# Two of three holders must sign it.
NEXT = root(0, 1, 2, threshold=2, version=2)


@pytest.fixture
def pending(tmp_path):
    return Pending(tmp_path / "pending.json")


def test_an_offer_with_enough_signatures_does_not_wait(pending, tmp_path):
    offer = {"root": signed(NEXT, 0, 1), "targets": "signed elsewhere"}
    assert pending.gather(PRESENT, offer) == offer
    assert pending.get(PRESENT) is None
    assert not list(tmp_path.iterdir())


def test_an_offer_waits_with_all_that_came_with_it_until_the_signatures_suffice(pending, tmp_path):
    first = {"root": signed(NEXT, 0), "targets": "signed elsewhere"}
    assert pending.gather(PRESENT, first) is None
    assert Pending(tmp_path / "pending.json").get(PRESENT) == first
    assert (tmp_path / "pending.json").stat().st_mode & 0o777 == 0o600
    gathered = pending.gather(PRESENT, {"root": signed(NEXT, 2)})
    assert gathered is not None and gathered["targets"] == "signed elsewhere"
    assert kept(gathered["root"]) == {IDS[0], IDS[2]}


def test_the_same_signature_again_does_not_suffice(pending):
    for _ in range(2):
        assert pending.gather(PRESENT, {"root": signed(NEXT, 0)}) is None
    assert kept(pending.get(PRESENT)["root"]) == {IDS[0]}


def test_another_change_takes_the_place_of_the_waiting_one(pending):
    pending.gather(PRESENT, {"root": signed(NEXT, 0), "targets": "old"})
    other = {"root": signed(root(0, 1, threshold=2, version=2), 0)}
    assert pending.gather(PRESENT, other) is None
    assert pending.get(PRESENT) == other


def test_an_offer_for_another_root_than_the_present_one_waits_no_more(pending):
    pending.gather(PRESENT, {"root": signed(NEXT, 0)})
    assert pending.get(signed(root(0, version=2), 0)) is None
    assert pending.get(PRESENT)


def test_a_waiting_offer_can_be_dropped(pending):
    pending.gather(PRESENT, {"root": signed(NEXT, 0)})
    pending.forget()
    assert pending.get(PRESENT) is None
    pending.forget()
