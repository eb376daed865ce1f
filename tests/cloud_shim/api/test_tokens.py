"""/api/tokens: made, listed, rotated, revoked."""

import pytest


def create(http, name="ci", permission="operate"):
    return http.post("/api/tokens", json={"name": name, "permission": permission})


def test_a_token_is_shown_once_and_listed_without_its_text(http):
    made = create(http).json()
    listed = http.get("/api/tokens")
    assert made["token"] not in listed.text
    assert [(each["name"], each["permission"]) for each in listed.json()["tokens"]] == [
        ("owner", "administer"),
        ("ci", "operate"),
    ]


@pytest.mark.parametrize("name", ["ci", "owner", "shim"])
def test_a_name_is_given_once_and_never_the_shims_own(http, name):
    create(http)
    assert create(http, name).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {"name": "../x", "permission": "view"},
        {"name": "", "permission": "view"},
        {"name": "a", "permission": "open"},
        {"name": "a", "permission": "root"},
        {"name": "a"},
        {"name": "a", "permission": "view", "more": 1},
        {"name": 1, "permission": "view"},
    ],
)
def test_a_bad_request_for_a_token_makes_none(http, body):
    assert http.post("/api/tokens", json=body).status_code == 400
    assert len(http.get("/api/tokens").json()["tokens"]) == 1


def test_the_owner_is_rotated_into_the_file_and_never_revoked(http, shim):
    assert http.delete("/api/tokens/owner").status_code == 422
    answer = http.post("/api/tokens/owner/rotate")
    assert answer.json() == {"name": "owner", "token": ""}
    assert http.get("/api/devices").status_code == 401
    token = (shim.config.state / "owner-token").read_text().strip()
    assert http.get("/api/devices", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_a_rotated_token_has_its_name_and_permission_and_the_old_one_nothing(http):
    before = create(http).json()["token"]
    after = http.post("/api/tokens/ci/rotate").json()["token"]
    for token, status in ((before, 401), (after, 403)):
        headers = {"Authorization": f"Bearer {token}"}
        assert http.get("/api/tokens", headers=headers).status_code == status


@pytest.mark.parametrize("name", ["nobody", "%2e%2e", "a" * 300])
def test_an_unknown_token_is_not_found(http, name):
    assert http.delete(f"/api/tokens/{name}").status_code == 404
    assert http.post(f"/api/tokens/{name}/rotate").status_code == 404
