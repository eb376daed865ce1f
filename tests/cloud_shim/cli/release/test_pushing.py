"""From bytes on a developer's machine to a release, over the shim's HTTP interface, with the keys taken away."""

import pytest

from cloud_shim.cli.client import Client
from cloud_shim.cli.keys.release_keys import ReleaseKeys
from cloud_shim.cli.release import pushing
from cloud_shim.trust.signing import Signing
from device.errors import LamplightError, RejectedError, UntrustedError
from tests.support import every_release


@pytest.fixture
def client(http):
    made = Client()
    made._http = http
    return made


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LAMPLIGHT_KEYS", str(tmp_path / "release-keys"))
    return tmp_path / "release-keys"


@pytest.fixture
def taken(client, folder):
    image = client.keys()["image"]
    client.adopt(ReleaseKeys(folder, image).take(image, every_release(image)))


def test_the_shims_own_development_keys_sign_without_any_key_here(client, folder, make_function):
    release = pushing.push(client, make_function())
    assert client.deploy("pi", release) == 1
    assert not folder.exists()


def test_release_signed_here_with_its_patches_is_deployed(client, taken, make_function, shim):
    body = "".join(f"# {number}\n" for number in range(2000))
    pushing.push(client, make_function(code=body))
    release = pushing.push(client, make_function(code=f"{body}# changed\n"))
    assert "unsigned" not in release
    assert client.deploy("pi", release) == 1
    ref = shim.registry.find("function", release["name"], release["version"]).ref
    assert ref.patches
    listed = shim.signing.desired(shim.fleet.deployment("pi")).decode()
    assert all(patch.target in listed for patch in ref.patches)


def test_the_same_bytes_need_no_second_signature(client, taken, make_function):
    first = pushing.push(client, make_function())
    before = client.keys()
    assert pushing.push(client, make_function()) == first
    assert client.keys() == before


def test_machine_without_the_key_is_refused_and_told_who_can(client, taken, make_function, monkeypatch, tmp_path):
    monkeypatch.setenv("LAMPLIGHT_KEYS", str(tmp_path / "elsewhere"))
    with pytest.raises(RejectedError, match="machine on which `lamplight keys take`") as refused:
        pushing.push(client, make_function())
    assert refused.value.exit_code == 5
    assert client._request("GET", "/api/releases") == {"releases": []}


def test_function_the_device_cannot_take_uses_up_no_number_with_the_keys_here_either(client, taken, make_function):
    for device, changes in (("pii", {}), ("pi", {"models": ["presence"]})):
        with pytest.raises(LamplightError):
            pushing.push(client, make_function(**changes), device)
    assert client.releases() == []
    assert pushing.push(client, make_function(), "pi")["version"] == 1


def test_lists_these_keys_did_not_sign_are_refused_before_a_number_is_given(client, taken, make_function, tmp_path):
    pushing.push(client, make_function())
    stranger = Signing(tmp_path / "stranger")
    stranger.release("function", "night-light", 1, "e" * 64, 1000)
    told = client.keys()
    forged = {**told["image"], "delegated": stranger.image()["delegated"]}
    client.keys = lambda: {**told, "image": forged}
    with pytest.raises(UntrustedError, match="did not sign"):
        pushing.push(client, make_function(code="# 2"), "pi")
    assert [each["version"] for each in client.releases()] == [1]


def test_console_deploys_nothing_without_the_key(client, taken, http, make_function):
    client.deploy("pi", pushing.push(client, make_function("lamp")))
    before = http.get("/api/releases").json()
    source = http.get("/api/devices/pi/functions/lamp/source").json()["files"]
    answer = http.post(
        "/api/devices/pi/functions/lamp/source", json={"files": {**source, "main.py": source["main.py"] + "# evil\n"}}
    )
    assert (answer.status_code, answer.json()["error"]["exit_code"]) == (422, 5)
    assert "lamplight keys take" in answer.json()["error"]["remedy"]
    assert http.get("/api/releases").json() == before


def test_unsigned_release_cannot_be_deployed(client, taken, make_function):
    release = client.release(make_function(), unsigned=True)
    with pytest.raises(RejectedError, match="cannot sign a release"):
        client.deploy("pi", release)


@pytest.mark.parametrize(
    "lie",
    [{"name": "other"}, {"kind": "agent"}, {"unsigned": {"sha256": "e" * 64}}, {"unsigned": {"length": 1}}],
    ids=["name", "kind", "digest", "length"],
)
def test_shim_that_asks_for_a_signature_under_something_else(client, taken, make_function, lie, monkeypatch):
    real = client.release(make_function(), unsigned=True)
    told = {**real, **lie, "unsigned": {**real["unsigned"], **lie.get("unsigned", {})}}
    monkeypatch.setattr(client, "release", lambda archive, unsigned, device: told)
    before = client.keys()
    with pytest.raises(UntrustedError, match="The shim wants"):
        pushing.push(client, make_function())
    assert client.keys() == before
