"""`flash.py image`, from a base image to a card image, with the identity in a folder."""

import json
import resource
import stat
from pathlib import Path

import pytest

from device import config
from flashing import agent, cli
from tests.flashing.commands.conftest import MakeDisk, Run
from tests.flashing.conftest import BOOKWORM, MIB, PASSWORD, MakeImage, mtools, read

WIFI_PASSWORD = "correct horse battery"


@pytest.fixture
def arguments(make_image: MakeImage, identity: Path, wheels: Path) -> list[object]:
    """A command line that makes a card for a Raspberry Pi 4."""
    base = make_image()
    line = ["image", "--board", "raspberry-pi/4b", "--base", base, "--name", "desk-pi", "--broker", "lamp.local:8883"]
    return [*line, "--identity", identity, "--python", "3.13", "-o", base.with_name("card.img")]


def card(arguments: list[object]) -> Path:
    return Path(str(arguments[-1]))


def test_a_card_has_all_that_its_board_needs(run: Run, arguments: list[object], tmp_path: Path) -> None:
    code, out, err = run(*arguments, "--json")
    assert code == 0, err
    assert json.loads(out) == {
        "image": str(card(arguments)),
        "device": "desk-pi",
        "board": "raspberry-pi/4b",
        "first_boot": "cloud-init",
    }
    on_card = mtools("mdir", card(arguments), "-b", "::/lamplight").decode()
    for name in ("agent-3.13.tar.gz", "SHA256SUMS", "password", *agent.own_files()):
        assert f"/lamplight/{name}" in on_card
    assert read(card(arguments), "lamplight/password") == PASSWORD
    (tmp_path / "agent.toml").write_text(read(card(arguments), "lamplight/agent.toml"))
    taken = config.load(tmp_path / "agent.toml")
    assert (taken.device, taken.board, taken.broker.host, taken.broker.port) == (
        "desk-pi",
        "raspberry-pi/4b",
        "lamp.local",
        8883,
    )


def test_no_secret_is_shown_or_stands_in_another_file(
    run: Run, arguments: list[object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LAMPLIGHT_WIFI_PASSWORD", WIFI_PASSWORD)
    more = ["--wifi", "home", "--wifi-country", "DE", "--wifi-security", "wpa2"]
    code, out, err = run(*arguments, *more, "--debug")
    assert code == 0, err
    assert PASSWORD not in out + err and WIFI_PASSWORD not in out + err
    assert stat.S_IMODE(card(arguments).stat().st_mode) == 0o600
    data = card(arguments).read_bytes()
    # What was typed is not on the card at all, the device's password once.
    assert WIFI_PASSWORD.encode() not in data and data.count(PASSWORD.encode()) == 1
    assert [each.name for each in tmp_path.glob("*.part")] == []


def test_there_is_no_option_that_takes_a_secret(run: Run) -> None:
    _, out, _ = run("image", "--help")
    assert "--wifi-password " not in out and "--password" not in out


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--name", "Desk Pi"], 2, "cannot name a device"),
        (["--broker", "127.0.0.1"], 2, "on itself"),
        (["--broker", "localhost:1883"], 2, "on itself"),
        (["--broker", "lamp.local:99999"], 2, "no port"),
        (["--broker", "lamp.local/"], 2, "no broker's address"),
        (["--broker", "lämp.local"], 2, "no broker's address"),
        (["--broker", "[::1]:8883"], 2, "on itself"),
        (["--fleet", "My Home"], 2, "cannot name a fleet"),
        (["--board", "raspberry-pi/9"], 3, "no board"),
        (["--board", "linux/x86-64"], 2, "not flashed with a card"),
        (["--python", "3.9"], 3, "does not run on Python 3.9"),
        (["--wifi", "home"], 2, "Which country"),
        (["--base", "nothing.img"], 3, "cannot be read"),
        (["--identity", "/nowhere"], 3, "/nowhere"),
        (["--ssh-key", "/nowhere.pub"], 3, "/nowhere.pub"),
    ],
)
def test_a_mistake_ends_with_its_code_and_leaves_no_image(
    run: Run, arguments: list[object], more: list[str], code: int, words: str
) -> None:
    ended, out, err = run(*arguments[:-2], *more, *arguments[-2:])
    assert (ended, out) == (code, "") and words in err
    assert not card(arguments).exists()


def test_without_a_shim_that_is_said_before_the_image_is_unpacked(run: Run, tmp_path: Path) -> None:
    line = ["image", "--board", "raspberry-pi/4b", "--base", tmp_path / "none.img", "--name", "desk-pi"]
    code, _, err = run(*line, "--broker", "lamp.local", "-o", tmp_path / "card.img", "--url", "http://127.0.0.1:9")
    assert code == 4 and "none.img" not in err, err


def test_a_password_file_that_others_may_read_is_refused(run: Run, arguments: list[object], tmp_path: Path) -> None:
    (tmp_path / "wifi").write_text(WIFI_PASSWORD)
    (tmp_path / "wifi").chmod(0o644)
    more = ["--wifi", "home", "--wifi-country", "DE", "--wifi-password-file", tmp_path / "wifi"]
    code, _, err = run(*arguments, *more)
    assert code == 2 and "chmod 600" in err and WIFI_PASSWORD not in err


@pytest.fixture
def networks(tmp_path: Path) -> Path:
    file = tmp_path / "networks.toml"
    home = f'country = "DE"\n[[wifi]]\nssid = "home"\npassword = "{WIFI_PASSWORD}"\n'
    work = '[[wifi]]\nssid = "work"\nsecurity = "enterprise"\nidentity = "me"\nca = "system"\n'
    file.write_text(f'{home}{work}domain = "radius.example.org"\npassword = "{WIFI_PASSWORD}"\n')
    file.chmod(0o600)
    return file


@pytest.mark.parametrize(("form", "name"), [("cloud-init", "network-config"), ("firstrun", "firstrun.sh")])
def test_a_card_has_the_networks_of_a_file_and_shows_no_secret(
    run: Run, arguments: list[object], networks: Path, form: str, name: str
) -> None:
    code, out, err = run(*arguments, "--networks", networks, "--first-boot", form, "--debug", "--json")
    assert code == 0, err
    assert WIFI_PASSWORD not in out + err
    assert read(card(arguments), name).count(WIFI_PASSWORD) == 2


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"home"', '"work"', "there twice"),
        (WIFI_PASSWORD, "1234567", "network 1 (line 2): The Wi-Fi password cannot be right"),
        ("identity", "identty", "Did you mean 'identity'?"),
        ('ca = "system"', 'ca = "none.pem"', "none.pem cannot be read"),
    ],
)
def test_a_mistake_in_the_file_ends_before_any_work(
    run: Run, arguments: list[object], networks: Path, old: str, new: str, words: str
) -> None:
    networks.write_text(networks.read_text().replace(old, new))
    code, out, err = run(*arguments, "--networks", networks)
    assert (code, out) == (2, "") and words in err and WIFI_PASSWORD not in err
    assert not card(arguments).exists()


def test_one_network_is_given_in_one_way(run: Run, arguments: list[object], networks: Path) -> None:
    code, _, err = run(*arguments, "--networks", networks, "--wifi", "home", "--wifi-country", "DE")
    assert code == 2 and "--networks" in err and not card(arguments).exists()


def test_a_card_made_again_from_itself_is_refused(run: Run, arguments: list[object]) -> None:
    assert run(*arguments)[0] == 0
    once = card(arguments).rename(card(arguments).with_name("once.img"))
    code, _, err = run(*arguments, "--base", once)
    assert code == 5 and "a card already" in err


def test_the_mechanism_can_be_chosen(run: Run, arguments: list[object]) -> None:
    code, out, _ = run(*arguments, "--first-boot", "firstrun", "--json")
    assert code == 0 and json.loads(out)["first_boot"] == "firstrun"
    assert "imager_custom set_hostname desk-pi" in read(card(arguments), "firstrun.sh")


def test_an_older_image_is_recognised(run: Run, arguments: list[object], make_image: MakeImage) -> None:
    base = make_image(BOOKWORM, "bookworm.img")
    assert json.loads(run(*arguments, "--base", base, "--json")[1])["first_boot"] == "firstrun"


def test_a_folder_that_is_not_there(run: Run, arguments: list[object]) -> None:
    code, _, err = run(*arguments[:-1], "/dev/null/card.img")
    assert code == 3 and "no folder /dev/null" in err


def test_a_disk_without_room_for_the_image(run: Run, arguments: list[object]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20 * MIB, hard))
    try:
        code, _, err = run(*arguments)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert code == 5 and "make room" in err
    assert list(card(arguments).parent.glob("card*")) == []


def test_an_interrupt_ends_as_such(arguments: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("flashing.agent.prepared", interrupt)
    monkeypatch.setattr("flashing.card.inject", interrupt)
    assert cli.run([str(each) for each in arguments]) == 130
    assert not card(arguments).exists()


def test_one_command_makes_the_image_and_writes_it(run: Run, arguments: list[object], make_disk: MakeDisk) -> None:
    disk = make_disk("sdb")
    code, _, err = run(*arguments, "--write", disk, "--yes")
    assert code == 0, err
    assert disk.read_bytes().startswith(card(arguments).read_bytes())


def test_a_card_that_is_refused_is_refused_before_the_image_is_made(
    run: Run, arguments: list[object], make_disk: MakeDisk
) -> None:
    disk = make_disk("sda", rm=False, mount="/")
    code, _, err = run(*arguments, "--write", disk, "--yes")
    assert code == 5 and "this system runs from it" in err
    assert not card(arguments).exists() and set(disk.read_bytes()) == {0xEE}
