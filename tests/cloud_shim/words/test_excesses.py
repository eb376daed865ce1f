"""What people read of a device that sends too much."""

import pytest

from cloud_shim.fleet.pauses import SHARED, Pause
from cloud_shim.records.excesses import Excess
from cloud_shim.words import excesses
from device.protocol.topics import ENROL_USER

NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("device", "kind", "told"),
    [
        ("tv", "sent", "tv sent more than its share: 3 messages (1.5 MB) put off since 2026-09-21 14:13 UTC"),
        ("tv", "logs", "tv sent more logs than is kept of one device (10 kB): its oldest 3 records went since"),
        ("tv", "retained", "tv had the broker keep 3 messages (1.5 MB) that nobody needs, removed since"),
        ("tv", "foreign", "tv sent 3 messages (1.5 MB) on topics of no protocol of ours since"),
        (SHARED, "retained", "Some device had the broker keep 3 messages"),
        (ENROL_USER, "sent", "Somebody with a card sent more than its share"),
    ],
)
def test_each_excess_says_who_sent_how_much_of_what_and_since_when(device, kind, told):
    (view,) = excesses.views({(device, kind): Excess(NOW, NOW, 3, 1_500_000)}, {}, 10_000)
    assert view["told"].startswith(told)
    assert (view["device"], view["kind"], view["count"], view["bytes"]) == (device, kind, 3, 1_500_000)
    assert excesses.notice(view) == f"{view['told']}. {view['try']}"


@pytest.mark.parametrize(
    ("name", "told", "remedy"),
    [
        (
            "tv",
            "tv is kept out from 2026-09-21 14:13 until 2026-09-21 14:15 UTC, for the 2nd time in a row: tv floods",
            "revoke tv",
        ),
        (SHARED, "The topics between functions of different boards are closed from", "devices revoke"),
        (ENROL_USER, "No board can ask to be let in from", "void-cards"),
    ],
)
def test_each_pause_says_what_is_closed_until_when_and_what_to_do(name, told, remedy):
    (view,) = excesses.views({}, {name: Pause(2, NOW, NOW + 120)}, 10_000)
    assert view["told"].startswith(told)
    assert remedy in view["try"]
