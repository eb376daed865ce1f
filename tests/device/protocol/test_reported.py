"""What a board may say of itself, and what is refused before a person sees it."""

import pytest

from device.protocol import reported
from device.protocol.errors import ProtocolError
from tests import samples


def test_a_report_passes_and_so_do_fields_that_are_not_known():
    reported.check(samples.report(tomorrow={"x": 1}))


@pytest.mark.parametrize("lacking", ["runtime", "disk", "platform", "evidence"])
def test_what_is_not_known_yet_may_lack(lacking):
    report = samples.report()
    del report[lacking]
    reported.check(report)


@pytest.mark.parametrize(
    "changed",
    [
        {"board": 7},
        {"generation": -1},
        {"previous": None},
        {"update": {}},
        {"functions": {"x": 5}},
        {"functions": {"x": {}}},
        {"functions": {"../x": {}}},
        {"functions": []},
        {"models": {"m": {"version": "1"}}},
        {"sensors": {"light": {"ok": 1, "error": ""}}},
        {"failed": {"8": 7}},
        {"failed": {"\x1b[2J": "why"}},
        {"failed": {"9" * 5000: "why"}},
        {"evidence": {"8": []}},
        {"evidence": {"8": {"seconds": 10**400}}},
        {"evidence": {"8": {"now": {"events": "many"}}}},
        {"confinement": {"memory": {}}},
        {"runtime": [1]},
        {"runtime": {"version": "1"}},
        {"disk": 7},
        {"disk": {"free": 1}},
        {"disk": {"free": "all", "used": 2}},
        {"disk": {"free": 10**400, "used": 2}},
        {"platform": {"machine": "x"}},
        {"ai": "yes"},
    ],
    ids=str,
)
def test_another_shape_is_refused(changed):
    with pytest.raises(ProtocolError, match=r"^reported"):
        reported.check(samples.report(**changed))
