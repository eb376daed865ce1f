"""A card image made from a base image: what is on it for each mechanism, and every wrong file in its place."""

import contextlib
import json
import lzma
import random
import stat
import struct
import subprocess
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import boards
from device.errors import BadArtifactError, LamplightError, NotFoundError, RejectedError, UsageError
from flashing import bootfs, card, networks
from flashing.firstboot import Settings
from flashing.networks import Account, Networks, Wifi
from tests.flashing.conftest import BOOKWORM, BOOT_SIZE, COMMON, MIB, START, TRIXIE, MakeImage, mtools, read

MEMORY = "cgroup_enable=memory"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO4l me@desk"
WIFI = networks.wifi("Café 'n' \"Bar\": $(reboot)", "correct horse", "wpa2")
SETTINGS = Settings("desk-pi", Networks("DE", (WIFI,)), KEY)
BROUGHT = {
    "agent.toml": b'fleet = "home"\n',
    "roots/director-root.json": b"{}",
    "agent-3.13.tar.gz": bytes(range(256)) * 999,
}


def plan(board: str = "raspberry-pi/4b", settings: Settings = SETTINGS, mechanism: str = "") -> card.Plan:
    return card.Plan(boards.load(board), settings, mechanism)


def made(
    base: Path, the_plan: card.Plan | None = None, brought: dict[str, bytes] = BROUGHT, again: bool = False
) -> Path:
    output = base.with_name("card.img")
    card.make(base, output, the_plan or plan(), lambda: brought, lambda _: None, again)
    return output


def left_over(folder: Path) -> list[str]:
    return [each.name for each in folder.glob("card*")]


def test_a_trixie_card_is_configured_by_cloud_init(make_image: MakeImage) -> None:
    image = made(make_image(TRIXIE))
    data = yaml.safe_load(read(image, "user-data"))
    assert read(image, "user-data").startswith("#cloud-config\n")
    assert data["hostname"] == "desk-pi" and data["users"][0]["ssh_authorized_keys"] == [KEY]
    # Not by runcmd, which is noted as done when it begins.
    [command] = data["bootcmd"]
    assert command[0] == "systemd-run" and command[-1].endswith("|| sh /boot/firmware/lamplight/install.sh")
    network = yaml.safe_load(read(image, "network-config"))["network"]
    assert network["wifis"]["wlan0"]["access-points"] == {WIFI.ssid: {"password": WIFI.key}}
    instance = yaml.safe_load(read(image, "meta-data"))["instance-id"]
    assert read(image, "cmdline.txt").split() == [*COMMON["cmdline.txt"].split(), f"ds=nocloud;i={instance}", MEMORY]


@pytest.mark.parametrize("files", [TRIXIE, BOOKWORM], ids=["trixie", "bookworm"])
@pytest.mark.parametrize("before", ["", f" {MEMORY}"], ids=["off", "on already"])
def test_the_memory_controller_is_on_once(make_image: MakeImage, files: dict[str, str], before: str) -> None:
    image = made(make_image({**files, "cmdline.txt": files["cmdline.txt"].strip() + before + "\n"}))
    assert read(image, "cmdline.txt").split().count(MEMORY) == 1


def test_a_bookworm_card_is_configured_by_firstrun(make_image: MakeImage) -> None:
    image = made(make_image(BOOKWORM))
    script = read(image, "firstrun.sh")
    assert "imager_custom set_hostname desk-pi\n" in script and f"enable_ssh -k '{KEY}'" in script
    assert "sh /boot/firmware/lamplight/install.sh\n" in script and "rm -f /boot/firmware/firstrun.sh" in script
    arguments = read(image, "cmdline.txt").split()
    assert "systemd.run=/boot/firmware/firstrun.sh" in arguments and read(image, "cmdline.txt").count("\n") == 1
    assert set(BOOKWORM["cmdline.txt"].split()) <= set(arguments)


@pytest.mark.parametrize("files", [TRIXIE, BOOKWORM], ids=["trixie", "bookworm"])
def test_the_bus_is_on_and_what_was_brought_is_there_byte_for_byte(
    make_image: MakeImage, files: dict[str, str]
) -> None:
    image = made(make_image(files))
    config = read(image, "config.txt").splitlines()
    assert config[-2:] == ["[all]", "dtparam=i2c_arm=on"] and "dtparam=audio=on" in config
    for name, data in BROUGHT.items():
        assert mtools("mtype", image, f"::/lamplight/{name}") == data


def test_the_file_system_is_whole_afterwards(make_image: MakeImage, tmp_path: Path) -> None:
    image = made(make_image())
    partition = tmp_path / "partition"
    with image.open("rb") as file:
        file.seek(START)
        partition.write_bytes(file.read(BOOT_SIZE))
    check = subprocess.run(
        ["fsck.vfat", "-n", str(partition)], capture_output=True, text=True, env={"PATH": "/usr/sbin:/sbin"}
    )
    assert check.returncode == 0, check.stdout


def test_what_is_behind_the_boot_partition_is_untouched(make_image: MakeImage) -> None:
    base = make_image()
    with base.open("r+b") as file:
        file.seek(START + BOOT_SIZE)
        file.write(b"root" * 1024)
    image = made(base)
    assert image.read_bytes()[START + BOOT_SIZE :] == base.read_bytes()[START + BOOT_SIZE :]


def test_names_are_found_in_whatever_case_the_image_spells_them(make_image: MakeImage) -> None:
    files = {name.upper() if name in ("cmdline.txt", "config.txt") else name: text for name, text in TRIXIE.items()}
    image = made(make_image(files))
    assert mtools("mdir", image, "-b", "::").decode().lower().count("cmdline.txt") == 1
    assert "ds=nocloud;i=lamplight-" in read(image, "CMDLINE.TXT")


def test_the_mechanism_can_be_chosen_against_the_images_files(make_image: MakeImage) -> None:
    image = made(make_image(TRIXIE), plan(mechanism="firstrun"))
    assert "set_hostname desk-pi" in read(image, "firstrun.sh")


def test_the_image_is_its_owners_only_and_the_base_is_untouched(make_image: MakeImage) -> None:
    base = make_image()
    before = base.read_bytes()
    image = made(base)
    assert stat.S_IMODE(image.stat().st_mode) == 0o600
    assert base.read_bytes() == before and left_over(base.parent) == ["card.img"]


def test_a_compressed_image_is_unpacked_on_the_way(make_image: MakeImage) -> None:
    base = make_image()
    packed = base.with_name("base.img.xz")
    packed.write_bytes(lzma.compress(base.read_bytes(), preset=0))
    assert "desk-pi" in read(made(packed), "user-data")


@pytest.mark.parametrize(
    ("wifi", "access_point"),
    [
        (networks.wifi("home", "horse", "wpa3"), {"auth": {"key-management": "sae", "password": "horse"}}),
        (networks.wifi("home", "ab" * 32, "wpa2", hidden=True), {"hidden": True, "password": "ab" * 32}),
        (networks.wifi("home", "correct horse"), {"password": "correct horse"}),
        (networks.wifi("home", "", "open"), {}),
        (networks.wifi("home", "", "open", hidden=True), {"hidden": True}),
    ],
)
def test_a_network_of_each_kind_is_joined(make_image: MakeImage, wifi: Wifi, access_point: object) -> None:
    image = made(make_image(TRIXIE), plan(settings=replace(SETTINGS, networks=Networks("DE", (wifi,)))))
    network = yaml.safe_load(read(image, "network-config"))["network"]
    assert network["wifis"]["wlan0"]["access-points"] == {"home": access_point}
    assert network["wifis"]["wlan0"]["regulatory-domain"] == "DE"


@pytest.mark.parametrize(
    ("wifi", "lines"),
    [
        (networks.wifi("home", "horse", "wpa3"), ["hidden=false", "key-mgmt=sae", "psk=horse"]),
        (
            networks.wifi("home", "ab" * 32, "wpa2", hidden=True),
            ["hidden=true", "key-mgmt=wpa-psk", "psk=" + "ab" * 32],
        ),
        (networks.wifi("home", "correct horse"), ["key-mgmt=wpa-psk", "psk=correct horse"]),
        (networks.wifi("home", "", "open"), ["ssid=104;111;109;101;"]),
    ],
)
def test_an_older_image_joins_them_too(make_image: MakeImage, wifi: Wifi, lines: list[str]) -> None:
    image = made(make_image(BOOKWORM), plan(settings=replace(SETTINGS, networks=Networks("DE", (wifi,)))))
    script = read(image, "firstrun.sh").splitlines()
    assert set(lines) <= set(script) and "raspi-config nonint do_wifi_country DE" in script


@pytest.mark.parametrize("files", [TRIXIE, BOOKWORM], ids=["trixie", "bookworm"])
def test_an_accounts_certificate_is_where_the_network_looks_for_it(
    make_image: MakeImage, files: dict[str, str]
) -> None:
    account = Account("me", "", "", "/boot/firmware/wifi-authority-1.pem")
    wanted = Networks("DE", (networks.enterprise("work", "secret", account),), files={"wifi-authority-1.pem": "PEM\n"})
    image = made(make_image(files), plan(settings=replace(SETTINGS, networks=wanted)))
    # Not in the folder of ours: without Lamplight, the network goes on.
    assert read(image, "wifi-authority-1.pem") == "PEM\n"


def test_neither_the_wifi_password_nor_its_key_is_where_it_is_shown() -> None:
    assert "correct horse" not in repr(WIFI) and WIFI.key not in repr(SETTINGS)


# What people do


def refused(base: Path, kind: type[LamplightError], words: str, **arguments: card.Plan) -> None:
    with pytest.raises(kind, match=words):
        made(base, **arguments)
    assert left_over(base.parent) == []


def test_a_download_that_is_missing(tmp_path: Path) -> None:
    refused(tmp_path / "nothing.img", NotFoundError, "cannot be read")


def test_a_text_file_in_place_of_an_image(tmp_path: Path) -> None:
    (tmp_path / "notes.img").write_text("milk, eggs\n" * 100)
    refused(tmp_path / "notes.img", BadArtifactError, "does not begin with a partition table")


def test_a_web_page_in_place_of_an_image(tmp_path: Path) -> None:
    (tmp_path / "page.img").write_text("<html>404</html>")
    refused(tmp_path / "page.img", BadArtifactError, "web page")


def test_a_zip_archive_named_img(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "os.img", "w") as archive:
        archive.writestr("os.img", "x")
    refused(tmp_path / "os.img", BadArtifactError, "ZIP archive")


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.img").touch()
    refused(tmp_path / "empty.img", BadArtifactError, "no card image")


def test_a_truncated_image(make_image: MakeImage) -> None:
    base = make_image()
    with base.open("r+b") as file:
        file.truncate(20 * MIB)
    refused(base, BadArtifactError, "truncated")


def test_a_truncated_archive(make_image: MakeImage) -> None:
    packed = make_image().with_name("base.img.xz")
    data = lzma.compress(packed.with_suffix("").read_bytes(), preset=0)
    packed.write_bytes(data[: len(data) // 2])
    refused(packed, BadArtifactError, "truncated or damaged")


def test_an_image_for_32_bits(make_image: MakeImage) -> None:
    refused(make_image({**BOOKWORM, "kernel7l.img": "x", "kernel.img": "x"}), BadArtifactError, "32 bits")


def test_an_image_for_another_board(make_image: MakeImage) -> None:
    files = {name: text for name, text in TRIXIE.items() if name != "bcm2712-rpi-5-b.dtb"}
    refused(make_image(files), BadArtifactError, r"not for a raspberry-pi/5.*bcm2712", the_plan=plan("raspberry-pi/5"))


@pytest.mark.parametrize("board", ["linux/x86-64", "lamplight/simulated", "microchip/mcp2221"])
def test_a_board_that_has_no_card(make_image: MakeImage, board: str) -> None:
    refused(make_image(), UsageError, "not flashed with a card", the_plan=plan(board))


def test_an_image_flashed_twice(make_image: MakeImage) -> None:
    once = made(make_image()).rename(make_image().with_name("once.img"))
    refused(once, RejectedError, "a card already")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("user-data", "#cloud-config\nhostname: theirs\n"),
        ("network-config", "network:\n  version: 2\n  wifis:\n    wlan0: {}\n"),
        ("firstrun.sh", "#!/bin/sh\nuseradd theirs\n"),
        ("FIRSTRUN.SH", "#!/bin/sh\nuseradd theirs\n"),
        ("custom.toml", "config_version = 1\n"),
        ("userconf.txt", "pi:$6$hash\n"),
        ("cmdline.txt", "root=PARTUUID=1-02 systemd.run=/boot/firmware/firstrun.sh\n"),
    ],
)
def test_an_image_that_somebody_has_set_up_already_is_not_silently_set_up_anew(
    make_image: MakeImage, name: str, text: str
) -> None:
    base = make_image({**TRIXIE, name: text})
    refused(base, RejectedError, f"(?i){name}.*--replace")
    image = made(base, the_plan=replace(plan(), replace=True))
    assert json.loads(read(image, "meta-data"))["local-hostname"]
    # What ran at the first boot would run still, as root.
    with bootfs.opened(image, read_only=True) as files:
        assert "theirs" not in files.read(name)
    assert "systemd.run" not in read(image, "cmdline.txt")


def test_what_is_no_utf_8_in_a_file_that_is_changed_stays_as_it_is(make_image: MakeImage) -> None:
    base = make_image(TRIXIE)
    odd = b"# a caf\xe9's board\narm_64bit=1\n"
    with bootfs.opened(base) as files:
        files.write("config.txt", odd)
    assert mtools("mtype", made(base), "::/config.txt").startswith(odd)


def test_other_words_to_systemd_on_the_kernels_line_stay(make_image: MakeImage) -> None:
    line = "root=PARTUUID=1-02 systemd.show_status=0 systemd.run=/x systemd.unit=kernel-command-line.target\n"
    base = make_image({**BOOKWORM, "cmdline.txt": line})
    kept = read(made(base, the_plan=replace(plan(), replace=True)), "cmdline.txt")
    assert kept.startswith("root=PARTUUID=1-02 systemd.show_status=0 systemd.run=/boot/firmware/firstrun.sh ")


def test_what_an_image_is_published_with_is_no_setting_of_anybodys(make_image: MakeImage) -> None:
    wire = "# a comment\nnetwork:\n  version: 2\n\n  ethernets:\n    eth0:\n      dhcp4: true\n#  wifis:\n#    wlan0:\n"
    user = "#cloud-config\n\n#hostname: raspberrypi\nssh_pwauth: false\n#users:\n#- default\n"
    made(make_image({**TRIXIE, "user-data": user, "network-config": wire}))


def test_no_space_for_the_wheels(make_image: MakeImage) -> None:
    base = make_image(boot_size=36 * MIB)
    with pytest.raises(RejectedError, match="no space"):
        made(base, brought={"agent-3.13.tar.gz": bytes(40 * MIB)})
    assert left_over(base.parent) == []


def test_a_boot_partition_that_is_garbage(make_image: MakeImage) -> None:
    base = make_image()
    with base.open("r+b") as file:
        file.seek(8 * MIB)
        file.write(b"\xa5" * MIB)
    refused(base, BadArtifactError, f"boot partition of {base.name} ")


@pytest.mark.parametrize("seed", range(40))
def test_a_boot_partition_with_some_sectors_damaged(make_image: MakeImage, seed: int) -> None:
    base, chance = make_image(), random.Random(seed)
    with base.open("r+b") as file:
        for _ in range(20):
            file.seek(START + chance.randrange(64) * 512)
            file.write(chance.randbytes(512))
    with contextlib.suppress(LamplightError):
        made(base)
    assert {"card.img"} >= set(left_over(base.parent))


def test_a_disk_with_a_guid_partition_table_is_called_that(tmp_path: Path) -> None:
    image, block = tmp_path / "base.img", bytearray(512)
    block[446:462] = struct.pack("<4xB3xII", 0xEE, 1, 0xFFFFFFFF)
    block[510:] = b"\x55\xaa"
    image.write_bytes(block)
    refused(image, BadArtifactError, "GUID partition table")


def test_a_folder_in_place_of_the_output(make_image: MakeImage, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        card.make(make_image(), tmp_path, plan(), lambda: BROUGHT, lambda _: None, True)


def test_an_image_that_does_not_show_how_it_is_configured(make_image: MakeImage) -> None:
    files = {name: text for name, text in COMMON.items() if name != "cmdline.txt"}
    refused(make_image(files), BadArtifactError, "--first-boot")


def test_an_output_that_exists_is_kept_unless_told_otherwise(make_image: MakeImage) -> None:
    base = make_image()
    image = made(base)
    before = image.read_bytes()
    with pytest.raises(UsageError, match="--again"):
        made(base, plan(settings=Settings("other", Networks(), "")))
    assert image.read_bytes() == before
    made(base, plan(settings=Settings("other", Networks(), "")), again=True)
    assert json.loads(read(image, "meta-data"))["local-hostname"] == "other"


def test_an_interrupt_leaves_nothing_behind(make_image: MakeImage) -> None:
    base = make_image()

    def interrupted() -> dict[str, bytes]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        card.make(base, base.with_name("card.img"), plan(), interrupted, lambda _: None, False)
    assert left_over(base.parent) == []


def test_what_is_on_the_card_is_a_configuration_that_the_agent_takes(make_image: MakeImage) -> None:
    image = made(make_image())
    assert tomllib.loads(read(image, "lamplight/agent.toml")) == {"fleet": "home"}
