"""What `lamplight status` shows."""

import json

from cloud_shim.commands.status import rows


def test_a_failed_generation_is_shown_with_its_reason(device):
    failed = device(reported={"failed": {"8": "night-light: crashed 3 times in its trial"}})
    assert ("generation 8", "failed: night-light: crashed 3 times in its trial") in rows(failed, 2.0)


def test_a_sensor_that_cannot_be_read_is_shown_with_its_error(device):
    broken = device(reported={"sensors": {"light": {"ok": False, "error": "no answer at 0x39"}}})
    assert ("sensor light", "no answer at 0x39") in rows(broken, 2.0)


def test_the_disk_is_shown(device):
    assert ("disk", "12000 MB free, 1.5 MB used by Lamplight") in rows(device(), 2.0)
    assert "disk" not in dict(rows(device(reported={"disk": {}}), 2.0))


def test_a_device_that_never_reported_is_no_error(device):
    new = {**device(online=False, last_seen=None), "reported": None}
    assert rows(new, 2.0)[0] == ("desk-pi", "offline, seen never, lamplight/simulated")


def test_the_only_device_can_be_shown_as_json(shim, run, device):
    shim.answers["GET /api/devices/desk-pi"] = device()
    code, out, _ = run("status", "desk-pi", "--json")
    assert code == 0
    assert json.loads(out) == device()


def test_an_unknown_device_is_not_found(shim, run):
    shim.refuse("GET /api/devices/nobody", 404, 3, "There is no device 'nobody'")
    code, out, err = run("status", "nobody")
    assert (code, out) == (3, "")
    assert err == "error: There is no device 'nobody'. for a reason. try: something else\n"
