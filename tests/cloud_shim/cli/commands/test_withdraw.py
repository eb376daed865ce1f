"""`lamplight withdraw`, and the confirmation in `keys take`: a fake shim with real keys and signatures."""

import json

import pytest
from tuf.api.metadata import TargetFile

from cloud_shim.cli.keys.release_keys import ReleaseKeys
from cloud_shim.trust import release_metadata
from cloud_shim.trust.signing import Signing
from cloud_shim.words import withdrawals
from device.errors import RejectedError
from device.protocol import withdrawn
from device.protocol.deployment import Patch
from tests import samples
from tests.cloud_shim.cli.commands.conftest import keys_of


def release(version, name="lamp"):
    return {"kind": "function", "name": name, "version": version, "created": 86400.0 * version, "by": "anna"}


@pytest.fixture
def signing(shim, tmp_path, monkeypatch):
    """A fake shim whose keys and signatures are real, with lamp v1, v2 and planted v1; desk-pi is asked for lamp v1."""
    monkeypatch.setenv("LAMPLIGHT_KEYS", str(tmp_path / "release-keys"))
    made = Signing(tmp_path / "signing")
    for name, version in (("lamp", 1), ("lamp", 2), ("planted", 1)):
        made.release("function", name, version, f"{version}{name[0]}".encode().hex() * 16, 1000)

    def withdraw(body):
        made.withdraw(withdrawn.parse([{**body, "at": 1}])[0])
        return listed()

    def listed(_=None):
        return {"withdrawals": [{**each.to_json(), "by": "anna"} for each in made.withdrawals()]}

    desired = {"generation": 1, "functions": {"lamp": {"version": 1, "config": {}}}, "models": {}, "agent": None}
    shim.answers |= {
        **keys_of(made),
        "GET /api/releases": {"releases": [release(2), release(1), release(1, "planted")]},
        "GET /api/devices": {"devices": [samples.device("desk-pi", desired, None)]},
        "GET /api/withdrawals": listed,
        "POST /api/withdrawals": withdraw,
    }
    return made


def names(signing):
    targets = (json.loads(text)["signed"]["targets"] for text in signing.image()["delegated"].values())
    return sorted(path for each in targets for path in each)


@pytest.mark.parametrize("words", [("lamp", "v2"), ("lamp", "2"), ("lamp@2",), ("function/lamp", "v2")])
def test_a_release_is_withdrawn_by_the_shim_that_has_the_key(signing, run, words):
    code, out, err = run("withdraw", *words, "--because", "it burns")
    assert (code, out) == (0, "lamp v2 is withdrawn\n"), err
    (entry,) = signing.withdrawals()
    assert (entry.version, entry.older, entry.because, entry.lets_run) == (2, False, "it burns", False)


def test_it_is_signed_on_this_machine_where_the_keys_are(signing, run, shim):
    assert run("keys", "take", "--all")[0] == 0
    code, out, err = run("withdraw", "lamp", "v2", "--because", "it burns", "--and-older", "--let-run", "--json")
    assert code == 0, err
    assert shim.asked("POST /api/withdrawals") == []
    entry = json.loads(out)["withdrawn"]
    assert (entry["version"], entry["older"], entry["lets_run"]) == (2, True, True)
    assert signing.withdrawals()[0].older


def test_what_was_withdrawn_is_listed(signing, run):
    run("withdraw", "lamp", "v2", "--because", "it burns", "--and-older")
    code, out, _ = run("withdraw")
    assert code == 0
    assert out.splitlines()[1].split() == ["lamp", "v2", "and", "older", *out.split()[8:10], "anna", "it", "burns"]
    assert json.loads(run("withdraw", "--json")[1])["withdrawals"][0]["because"] == "it burns"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("lamp", "v2"), 2),
        (("lamp", "v2", "--because", "  "), 2),
        (("lamp", "--because", "x"), 2),
        (("lamp", "v9", "--because", "x"), 3),
        (("bell", "v1", "--because", "x"), 3),
        (("lamp", "v2", "--because", "x" * 201), 2),
    ],
)
def test_a_wrong_command_withdraws_nothing(signing, run, arguments, code):
    assert run("withdraw", *arguments)[0] == code
    assert signing.withdrawals() == []


def test_the_same_again_is_rejected(signing, run):
    run("withdraw", "lamp", "v2", "--because", "it burns")
    assert run("keys", "take", "--all")[0] == 0
    code, _, err = run("withdraw", "lamp", "v2", "--because", "again")
    assert (code, "it burns" in err) == (5, True)


# The keys are taken


def test_without_a_choice_nothing_is_signed_and_no_key_moves(signing, run):
    before = signing.image()
    code, _, err = run("keys", "take", "--yes")
    assert code == 2
    for shown in ("function/planted@1", "anna", "1970-01-02", "desk-pi", "--sign"):
        assert shown in err
    assert (signing.image(), "image-releases" in signing.held()) == (before, True)


def test_a_planted_release_that_is_not_named_is_not_signed_again(signing, run):
    code, _, err = run("keys", "take", "--sign", "lamp@1", "--sign", "function/lamp@v2")
    assert code == 0, err
    assert names(signing) == ["functions/lamp/1.tar", "functions/lamp/2.tar"]
    assert "image-releases" not in signing.held()


def test_every_release_is_signed_when_all_are_confirmed(signing, run):
    assert run("keys", "take", "--all")[0] == 0
    assert len(names(signing)) == 3


@pytest.mark.parametrize("name", ["lamp@3", "lamp", "bell@1", "model/lamp@1"])
def test_a_name_that_is_not_there_signs_nothing(signing, run, name):
    assert run("keys", "take", "--sign", name)[0] == 3
    assert "image-releases" in signing.held()


def test_a_release_that_a_device_is_asked_for_must_be_confirmed_or_taken_off_first(signing, run):
    code, _, err = run("keys", "take", "--sign", "lamp@2")
    assert (code, "desk-pi is asked for it" in err) == (5, True)
    assert "image-releases" in signing.held()


@pytest.mark.parametrize(
    ("answers", "signed"),
    [
        ([True, True], ["functions/lamp/1.tar", "functions/lamp/2.tar", "functions/planted/1.tar"]),
        ([True, False, True, True, False], ["functions/lamp/1.tar", "functions/lamp/2.tar"]),
    ],
)
def test_at_a_terminal_a_person_chooses_all_or_each(signing, run, monkeypatch, answers, signed):
    asked = []

    def confirm(text, **more):
        asked.append(text)
        return answers[len(asked) - 1]

    monkeypatch.setattr("cloud_shim.cli.terminal.Terminal.watched", True)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("click.confirm", confirm)
    code, _, err = run("keys", "take")
    assert code == 0, err
    assert (len(asked), names(signing)) == (len(answers), signed)


def test_patches_go_with_their_release(signing, tmp_path):
    patches = [Patch("function", "lamp", number, "b" * 64, f"{number}" * 64, 10, "") for number in (3, 4)]
    for number, patch in zip((3, 4), patches, strict=True):
        signing.release("function", "lamp", number, f"{number + 4}" * 64, 1000, [patch])
    keys = ReleaseKeys(tmp_path / "keys", signing.image())
    signing.adopt(keys.take(signing.image(), {"functions/lamp/1.tar", "functions/lamp/4.tar"}))
    assert names(signing) == ["functions/lamp/1.tar", patches[1].target, "functions/lamp/4.tar"]


def test_targets_that_no_board_asks_for_are_neither_shown_nor_signed(signing, run):
    image = signing.image()
    role = release_metadata.parse(image["delegated"]["functions-planted"])
    for odd in ("functions/planted/1.x.tar", "functions/planted/01.tar", "functions/planted/x.tar", "../evil.tar"):
        role.signed.targets[odd] = TargetFile(9, {"sha512": "0" * 128}, odd)
    image["delegated"]["functions-planted"] = release_metadata.signed_text(
        role.signed, release_metadata.utc_now() + release_metadata.RELEASES, signing._keys["image-releases"]
    )
    code, _, err = run("keys", "take", "--all")
    assert code == 0, err
    assert "evil" not in err
    assert names(signing) == ["functions/lamp/1.tar", "functions/lamp/2.tar", "functions/planted/1.tar"]


def test_a_withdrawal_stays_when_the_keys_are_taken(signing, run):
    run("withdraw", "lamp", "v2", "--because", "it burns")
    run("keys", "take", "--all")
    assert len(signing.withdrawals()) == 1


@pytest.mark.parametrize("command", ["take", "rotate"])
def test_new_keys_can_begin_a_new_list_where_a_thief_withdrew_everything(signing, run, command):
    run("withdraw", "lamp", "v2", "--because", "mischief", "--and-older")
    if command == "rotate":
        run("keys", "take", "--all")
    told = run("keys", command, "--forget-withdrawals", *(["--all"] if command == "take" else []))
    assert (told[0], signing.withdrawals()) == (0, [])


def test_a_key_of_the_shim_forgets_no_withdrawal(signing, run):
    assert run("keys", "rotate", "image-online", "--forget-withdrawals")[0] == 2


def test_the_same_keys_never_take_a_withdrawal_back(signing, run, tmp_path):
    run("keys", "take", "--all")
    keys = ReleaseKeys(tmp_path / "release-keys", signing.image())
    run("withdraw", "lamp", "v2", "--because", "it burns")
    offer = keys.renew(signing.image())
    top = release_metadata.successor(offer["targets"])
    top.unrecognized_fields.clear()
    with pytest.raises(RejectedError, match="would vanish"):
        signing.adopt({**offer, "targets": keys._sign(top, keys._key("image-targets"))})


# What people are told


def test_the_notices_name_the_devices_and_what_they_lack():
    desired = {"generation": 1, "functions": {}, "models": {}, "agent": None}
    entry = {"name": "lamp", "version": 2, "because": "it burns"}
    told = {"old": {}, "behind": {"withdrawn": 0}, "knows": {"withdrawn": 1}}
    devices = [
        {**samples.device(name, desired, samples.report(**more)), "withdrawn": [entry], "withdrawals": 1}
        for name, more in told.items()
    ]
    first, second, third = withdrawals.notices(devices)
    assert first.startswith("lamp v2 was withdrawn (it burns) and is still asked for on behind, knows, old")
    assert second.startswith("behind: not told")
    assert third.startswith("old: the agent is too old")


def test_many_devices_are_counted():
    desired = {"generation": 1, "functions": {}, "models": {}, "agent": None}
    entry = {"name": "lamp", "version": 2, "because": "it burns"}
    devices = [{**samples.device(f"pi-{n:04}", desired, None), "withdrawn": [entry]} for n in range(1000)]
    (told,) = withdrawals.notices(devices)
    assert "and 995 more" in told
