"""How checks are performed: a check that misbehaves is a failed check, and no more than that."""

import threading

import pytest

from device.doctor.check import Check, Finding, Result, healthy, ok, parse, perform, skip, warn
from device.errors import NotFoundError
from device.protocol.errors import ProtocolError


def raising(error: Exception) -> Check:
    def run() -> Finding:
        raise error

    return Check("it", run)


def only(check: Check) -> Result:
    (result,) = perform([check])
    return result


def test_a_check_that_raises_is_a_failed_check_and_those_after_it_are_performed() -> None:
    results = list(perform([raising(ZeroDivisionError("by nought")), Check("next", lambda: ok("fine"))]))
    assert [each.status for each in results] == ["fail", "ok"]
    assert "ZeroDivisionError: by nought" in results[0].found


def test_an_error_for_people_keeps_its_reason_and_its_remedy() -> None:
    assert only(raising(NotFoundError("It is gone", "somebody took it", "Bring it back"))) == Result(
        "it", "fail", "It is gone. somebody took it", "Bring it back"
    )


def test_a_check_that_hangs_fails_when_its_time_is_up() -> None:
    never = threading.Event()

    def run() -> Finding:
        never.wait()
        return ok("at last")

    result = only(Check("it", run, seconds=0.05))
    never.set()
    assert (result.status, result.found) == ("fail", "no answer within 0.05 s")
    assert result.remedy


def test_a_check_of_several_parts_gives_a_result_for_each() -> None:
    parts = Check("sandbox", lambda: {"user": ok("own user"), "network": warn("nothing", "seccomp")})
    assert [each.name for each in perform([parts])] == ["sandbox.user", "sandbox.network"]


def test_only_a_failure_is_one() -> None:
    results = list(perform([Check("a", lambda: warn("x", "y")), Check("b", lambda: skip("z"))]))
    assert healthy(results)
    assert not healthy([*results, only(raising(ValueError()))])


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        ["text"],
        [{"name": "a"}],
        [{"name": "a", "status": "splendid", "found": "", "remedy": ""}],
        [{"name": 1, "status": "ok", "found": "", "remedy": ""}],
    ],
)
def test_results_from_elsewhere_that_are_none_are_refused(value: object) -> None:
    with pytest.raises(ProtocolError):
        parse(value, "doctor")
