"""The shim signs nothing by a clock that has leapt, unless devices or a person bear it out."""

import json
from datetime import timedelta

import pytest

from cloud_shim.trust.clock import CLOSE, FAR, SigningClock, judge
from cloud_shim.trust.signing import Signing
from device.errors import RejectedError
from device.protocol.deployment import ArtifactRef, Deployment
from tests.cloud_shim.trust.conftest import START

NOW, DAY = START.timestamp(), 86_400.0
LEAPS = [timedelta(days=40), timedelta(days=3 * 365), -timedelta(days=40)]


def deployment(generation, version=1):
    ref = ArtifactRef("function", "lamp", version, "a" * 64, 1000, "")
    return Deployment("home", "desk-pi", generation, {"lamp": ref}, {}, {}, 5.0, 3)


def test_the_first_start_signs_by_any_clock():
    judge(0.0, None, [])
    judge(90_000 * DAY, None, [NOW])


@pytest.mark.parametrize("leap", [-FAR, 0, 40 * DAY - 25 * DAY])
def test_a_clock_near_the_last_signature_needs_nobody_and_no_device_can_forbid_it(leap):
    judge(NOW + leap, NOW, [])
    judge(NOW + leap, NOW, [0.0, NOW + 90_000 * DAY, NOW - 40 * DAY])


@pytest.mark.parametrize("leap", [40 * DAY, 3 * 365 * DAY, -40 * DAY, -8 * 365 * DAY])
@pytest.mark.parametrize(
    "devices",
    [
        lambda now: [],
        lambda now: [NOW, NOW + 60],
        lambda now: [0.0],
        lambda now: [now + 2 * CLOSE],
        lambda now: [now, NOW],
        lambda now: [now, NOW, NOW, 0.0],
    ],
    ids=["nobody", "devices at the last signature", "1970", "a third time", "its own board leapt too", "outvoted"],
)
def test_a_leap_that_no_majority_bears_out_is_refused(leap, devices):
    with pytest.raises(RejectedError) as caught:
        judge(NOW + leap, NOW, devices(NOW + leap))
    assert "2026-06-01" in caught.value.why
    assert "lamplight keys clock --right" in caught.value.remedy


def test_after_40_days_switched_off_one_device_that_agrees_is_enough_and_a_board_at_1970_has_no_say():
    judge(NOW + 40 * DAY, NOW, [NOW + 40 * DAY + 100, 0.0, 0.0])


@pytest.mark.parametrize("leap", LEAPS)
def test_nothing_is_signed_in_the_minute_of_the_leap_and_all_goes_on_after_it(signing, clock, tmp_path, leap):
    before = signing.image()
    signing.desired(deployment(1))
    clock.now = START + leap
    for asked in (
        lambda: signing.desired(deployment(2)),
        lambda: signing.release("function", "lamp", 2, "b" * 64, 1000),
        lambda: Signing(tmp_path, clock).desired(deployment(2)),
    ):
        with pytest.raises(RejectedError, match="clock"):
            asked()
    assert signing.image() == before
    assert signing.clock.complaint()
    assert not signing.clock.recovered()
    clock.now = START + timedelta(minutes=1)
    # A look at the clock meanwhile resumes nothing of what was refused.
    assert not signing.clock.complaint()
    assert signing.clock.recovered()
    assert not signing.clock.recovered()
    assert signing.desired(deployment(2))


def test_a_shim_switched_off_for_40_days_signs_once_a_device_bears_its_clock_out(signing, clock, tmp_path):
    clock.now = START + timedelta(days=40)
    again = Signing(tmp_path, clock)
    with pytest.raises(RejectedError, match="no connected device"):
        again.desired(deployment(1))
    # What a board has kept since before is no word of the present; its newest record is.
    again.clock.heard("desk-pi", NOW, of_record=True)
    assert again.clock.complaint()
    again.clock.heard("desk-pi", clock.now.timestamp(), of_record=True)
    again.clock.heard("desk-pi", NOW, of_record=True)
    assert again.clock.recovered()
    assert again.desired(deployment(1))
    assert Signing(tmp_path, clock).desired(deployment(2))


def test_a_person_can_say_that_the_clock_is_right(signing, clock, tmp_path):
    clock.now = START + timedelta(days=40)
    signing.clock.confirm()
    assert signing.desired(deployment(1))
    assert not Signing(tmp_path, clock).clock.complaint()


@pytest.mark.parametrize("damage", [lambda file: file.unlink(), lambda file: file.write_text("[")])
def test_a_shim_of_an_earlier_release_takes_the_last_signature_from_the_image_repository(
    signing, clock, tmp_path, damage
):
    damage(tmp_path / "clock.json")
    clock.now = START + timedelta(days=40)
    with pytest.raises(RejectedError, match="2026-06-01"):
        Signing(tmp_path, clock).desired(deployment(1))


def test_a_shim_from_before_signatures_told_their_time_takes_it_from_their_end(signing, clock, tmp_path):
    image = json.loads((tmp_path / "image.json").read_text())
    timestamp = json.loads(image["timestamp"])
    del timestamp["signed"]["issued"]
    (tmp_path / "image.json").write_text(json.dumps({**image, "timestamp": json.dumps(timestamp)}))
    (tmp_path / "clock.json").unlink()
    clock.now = START + timedelta(days=40)
    with pytest.raises(RejectedError, match="2026-06-01"):
        Signing(tmp_path, clock).desired(deployment(2))


def test_a_shim_that_signed_3_years_ahead_before_it_knew_better_is_put_right_by_its_devices(signing, clock, tmp_path):
    signing.clock.confirm()
    (tmp_path / "clock.json").write_text(json.dumps({"signed": NOW + 3 * 365 * DAY}))
    again = Signing(tmp_path, clock)
    with pytest.raises(RejectedError):
        again.desired(deployment(1))
    again.clock.heard("desk-pi", NOW)
    assert again.desired(deployment(1))


@pytest.mark.parametrize("leap", [FAR, -FAR])
def test_so_far_needs_nobody_and_a_second_further_does(leap):
    judge(NOW + leap, NOW, [])
    with pytest.raises(RejectedError):
        judge(NOW + leap * 1.00001, NOW, [])


def test_a_device_agrees_within_a_day_and_opposes_within_half_of_a_signatures_life():
    later = NOW + 40 * DAY
    for near in (later - CLOSE, later + CLOSE):
        judge(later, NOW, [near])
    for far in (later - CLOSE - 1, later + CLOSE + 1):
        with pytest.raises(RejectedError):
            judge(later, NOW, [far])
    for opposed in (NOW - FAR, NOW + FAR):
        with pytest.raises(RejectedError, match="1 are near the last signature, 1 agree"):
            judge(later, NOW, [later, opposed])
    for elsewhere in (NOW - FAR - 1, NOW + FAR + 1):
        judge(later, NOW, [later, elsewhere])


def test_a_refusal_tells_how_many_devices_say_what():
    later = NOW + 40 * DAY
    with pytest.raises(RejectedError) as refused:
        judge(later, NOW, [later, NOW, NOW])
    assert refused.value.why == (
        "the shim's clock says 2026-07-11, and its last signature is of 2026-06-01; "
        "of the connected devices' clocks, 2 are near the last signature, 1 agree with the shim's"
    )


@pytest.fixture
def noted(tmp_path):
    return lambda: json.loads((tmp_path / "clock.json").read_bytes())["signed"]


def signing_clock(tmp_path, clock):
    return SigningClock(tmp_path / "clock.json", clock, None)


def test_a_signature_is_noted_once_an_hour_in_either_direction(tmp_path, clock, noted):
    made = signing_clock(tmp_path, clock)
    made.signed()
    assert noted() == NOW
    for away, told in ((3600, NOW), (-3600, NOW), (3601, NOW + 3601), (0, NOW)):
        clock.now = START + timedelta(seconds=away)
        made.signed()
        assert noted() == told


def test_an_old_record_takes_nothing_back_and_a_devices_word_of_now_does(tmp_path, clock):
    made = signing_clock(tmp_path, clock)
    made.signed()
    clock.now = START + timedelta(days=40)
    made.heard("pi", clock.now.timestamp())
    made.heard("pi", NOW, of_record=True)
    made.check()
    made.heard("pi", NOW)
    with pytest.raises(RejectedError, match="1 are near the last signature, 0 agree"):
        made.check()


def test_a_device_has_one_vote(tmp_path, clock):
    made = signing_clock(tmp_path, clock)
    made.signed()
    clock.now = START + timedelta(days=40)
    made.heard("honest", NOW)
    for _ in range(3):
        made.heard("liar", clock.now.timestamp())
    with pytest.raises(RejectedError, match="1 are near the last signature, 1 agree"):
        made.check()


def test_what_was_never_refused_has_not_recovered(tmp_path, clock):
    made = signing_clock(tmp_path, clock)
    made.signed()
    assert (made.complaint(), made.recovered()) == ("", False)
    clock.now = START + timedelta(days=40)
    assert made.complaint().startswith("The shim signs nothing while its clock cannot be right: the shim's clock says")
    assert not made.recovered()
    made.confirm()
    assert (made.complaint(), made.recovered()) == ("", False)


@pytest.mark.parametrize("text", ["", "{}", "[]", "5", '{"signed": null}', '{"signed": "soon"}'])
def test_a_damaged_note_counts_as_none(tmp_path, clock, text):
    (tmp_path / "clock.json").write_text(text)
    signing_clock(tmp_path, clock).check()
    clock.now = START + timedelta(days=40)
    with pytest.raises(RejectedError):
        SigningClock(tmp_path / "clock.json", clock, NOW).check()
