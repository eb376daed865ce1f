"""A function's source and calls over HTTP."""

import pytest

from cloud_shim.records.budgets import Message
from device.errors import OfflineError
from device.protocol.messages import Presence
from device.protocol.settings import settings_mark


@pytest.fixture
def deployed(http, make_function):
    release = http.post("/api/releases", content=make_function()).json()
    body = {key: release[key] for key in ("kind", "name", "version")}
    http.post("/api/devices/pi/deploy", json={**body, "config": {"threshold": 7}, "trial": None})
    return "/api/devices/pi/functions/night-light"


def test_edited_source_is_released_and_deployed_with_the_settings_kept(http, deployed):
    source = http.get(f"{deployed}/source").json()
    assert (source["name"], source["version"]) == ("night-light", 1)
    files = {**source["files"], "main.py": "def handler(event, context):\n    return 'new'\n"}
    assert http.post(f"{deployed}/source", json={"files": files}).json() == {"generation": 2, "version": 2}
    assert http.get(f"{deployed}/source").json()["files"] == files
    desired = http.get("/api/devices/pi").json()["desired"]
    assert desired["functions"] == {"night-light": {"version": 2, "config": {"threshold": 7}}}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("function.toml", "models = []", 'models = ["presence"]'),
        ("function.toml", "[pins.led]", "[pins.nose]"),
        ("function.toml", "night-light", "day-light"),
    ],
    ids=["missing-model", "unknown-pin", "other-name"],
)
def test_an_edit_that_is_refused_uses_up_no_number(http, deployed, file, old, new):
    files = http.get(f"{deployed}/source").json()["files"]
    assert old in files[file]
    refused = http.post(f"{deployed}/source", json={"files": {**files, file: files[file].replace(old, new)}})
    assert refused.status_code == 422
    assert len(http.get("/api/releases").json()["releases"]) == 1
    good = {**files, "main.py": files["main.py"] + "# good\n"}
    assert http.post(f"{deployed}/source", json={"files": good}).json() == {"generation": 2, "version": 2}


def test_a_source_tells_what_starts_it_what_it_drives_and_how_to_call_it(http, deployed):
    source = http.get(f"{deployed}/source").json()
    assert {"triggers", "outputs", "examples"} <= set(source)
    assert source["examples"][-1] == {"type": "lamplight.call", "data": None}
    assert len(source["examples"]) > len(source["triggers"]) - 1


def test_settings_are_those_that_a_version_was_last_asked_for_with(http, deployed):
    source = http.get(f"{deployed}/source").json()["files"]
    http.post(f"{deployed}/source", json={"files": {**source, "main.py": "def handler(event, context): pass\n"}})
    newer = {"kind": "function", "name": "night-light", "version": 2, "config": {"threshold": 9}}
    http.post("/api/devices/pi/deploy", json=newer)
    http.delete(deployed)
    assert http.get(f"{deployed}/settings?version=1").json() == {"config": {"threshold": 7}}
    assert http.get(f"{deployed}/settings?version=2").json() == {"config": {"threshold": 9}}
    assert http.get(f"{deployed}/settings?version=3").json() == {"config": {}}


def test_settings_of_a_record_are_found_by_their_mark_though_the_version_has_others_since(http, deployed):
    again = {"kind": "function", "name": "night-light", "version": 1, "config": {"threshold": 9}}
    http.post("/api/devices/pi/deploy", json=again)
    by_mark = f"{deployed}/settings?version=1&mark="
    met = {"name": "lamp", "inverted": False}
    assert http.get(f"{deployed}/settings?version=1").json() == {"config": {"threshold": 9}}
    assert http.get(by_mark + settings_mark({**met, "threshold": 7})).json() == {"config": {"threshold": 7}}
    unknown = http.get(by_mark + settings_mark({**met, "threshold": 1}))
    assert unknown.status_code == 404 and "never asked" in unknown.json()["error"]["what"]


@pytest.mark.parametrize("query", ["", "?version=", "?version=0", "?version=x", "?version=" + 30 * "9"])
def test_settings_of_what_is_no_version_are_refused(http, deployed, query):
    assert http.get(f"{deployed}/settings{query}").status_code == 400


def test_settings_on_a_device_that_is_not_there_are_not_found(http):
    assert http.get("/api/devices/nobody/functions/f/settings?version=1").status_code == 404


def test_a_new_function_can_be_written(http, deployed):
    files = {"function.toml": 'name = "fan"\nhandler = "main:handler"\n', "main.py": "def handler(e, c): pass\n"}
    answer = http.post("/api/devices/pi/functions/fan/source", json={"files": files})
    assert answer.json() == {"generation": 2, "version": 1}


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ({}, 422),
        ({"main.py": "def handler(event, context): pass"}, 422),
        ({"../evil.py": "x"}, 422),
        ({"main.py": 7}, 400),
        (["main.py"], 400),
        ({"function.toml": 'name = "fan"\nhandler = "main:h"\n', "main.py": "def h(e, c): pass"}, 422),
        ({"function.toml": 'name = "night-light"\nhandler = "main:h"\n', "main.py": "def h(e, c: pass"}, 422),
    ],
    ids=["nothing", "no-manifest", "traversal", "no-text", "no-table", "other-name", "syntax-error"],
)
def test_bad_source_is_refused_and_nothing_is_deployed(http, deployed, files, status):
    assert http.post(f"{deployed}/source", json={"files": files}).status_code == status
    assert http.get("/api/devices/pi").json()["desired"]["generation"] == 1


def test_call_of_an_offline_device_is_refused_at_once_saying_since_when(http, shim, deployed):
    answer = http.post(f"{deployed}/call", json={"data": 1})
    assert answer.status_code == 504
    assert answer.json()["error"]["exit_code"] == OfflineError.exit_code
    assert "never seen" in answer.text
    for online in (True, False):
        shim.ingest.receive(Message.of("lamplight/1/home/d/pi/presence", Presence(online, 1).encode(), False))
    assert "last seen" in http.post(f"{deployed}/call", json={"data": 1}).text


@pytest.mark.parametrize("path", ["tv/functions/night-light", "pi/functions/fan"])
def test_call_of_what_there_is_not_is_not_found(http, deployed, path):
    assert http.post(f"/api/devices/{path}/call", json={"data": 1}).status_code == 404
    assert http.get(f"/api/devices/{path}/source").status_code == 404


def test_changed_requirements_are_refused_instead_of_running_with_the_old_layer(http, deployed):
    files = http.get(f"{deployed}/source").json()["files"]
    answer = http.post(f"{deployed}/source", json={"files": {**files, "requirements.txt": "humanize==4.9.0\n"}})
    assert answer.status_code == 422
    assert "lamplight deploy FOLDER pi" in answer.text
    assert http.get("/api/devices/pi").json()["desired"]["generation"] == 1


def test_a_new_function_with_requirements_is_refused_as_well(http, deployed):
    files = {
        "function.toml": 'name = "fan"\nhandler = "main:handler"\n',
        "main.py": "def handler(e, c): pass\n",
        "requirements.txt": "humanize\n",
    }
    answer = http.post("/api/devices/pi/functions/fan/source", json={"files": files})
    assert (answer.status_code, "requirements.txt" in answer.text) == (422, True)
