"""Reasons that other parts tell by their first words."""

from device.protocol import reasons


def test_a_reason_is_told_by_its_first_words():
    assert reasons.too_busy(f"{reasons.TOO_BUSY}it: too little time")
    assert reasons.failed_before(f"{reasons.SAME_FAILED}6: boom")
    for other in ("", "crashed", f"it says {reasons.TOO_BUSY}", f"it says {reasons.SAME_FAILED}"):
        assert not reasons.too_busy(other)
        assert not reasons.failed_before(other)
