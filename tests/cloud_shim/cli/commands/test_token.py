"""`lamplight token` and `lamplight console`, against a shim that answers as a test says."""

import json

TOKEN = {"name": "ci", "permission": "operate", "token": "lamplight_secret"}


def test_a_new_token_is_data_and_the_warning_is_not(shim, run):
    shim.answers["POST /api/tokens"] = TOKEN
    code, out, err = run("token", "create", "ci", "--permission", "operate")
    assert (code, out.strip()) == (0, TOKEN["token"])
    assert "only now" in err
    assert shim.asked("POST /api/tokens") == [{"name": "ci", "permission": "operate"}]


def test_a_permission_that_there_is_not_is_refused_before_anything_is_asked(shim, run):
    assert run("token", "create", "ci", "--permission", "open")[0] == 2
    assert shim.requests == []


def test_rotating_without_a_name_is_the_owners_and_shows_no_token(shim, run):
    shim.answers["POST /api/tokens/owner/rotate"] = {"name": "owner", "token": ""}
    code, out, _ = run("token", "rotate")
    assert code == 0
    assert "find it" in out


def test_revoking_names_the_token(shim, run):
    shim.answers["DELETE /api/tokens/ci"] = {"revoked": "ci"}
    assert run("token", "revoke", "ci")[0] == 0


def test_the_list_has_each_tokens_permission(shim, run):
    shim.answers["GET /api/tokens"] = {"tokens": [{"name": "ci", "permission": "view", "made": 0.0, "sessions": 2}]}
    code, out, _ = run("token", "list", "--json")
    assert code == 0
    assert json.loads(out)["tokens"][0]["sessions"] == 2
    assert "view" in run("token", "list")[1]


def test_the_link_is_of_the_shim_that_was_asked(shim, run):
    shim.answers["POST /api/links"] = {"path": "/sign-in?code=abc"}
    assert run("console")[1].strip() == f"{shim.url}/sign-in?code=abc"


def test_a_shim_that_does_not_know_the_caller_ends_the_command_with_5(shim, run):
    shim.refuse("GET /api/devices", 401, 5, "This shim wants a token")
    code, out, err = run("devices")
    assert (code, out) == (5, "")
    assert "This shim wants a token" in err
