"""agent.toml: what it gives, and what a wrong one is told."""

import json
from pathlib import Path

import pytest

from device.config import ConfinementConfig, EnrolmentConfig, load
from device.errors import NotFoundError, UsageError
from device.runtime.confinement.report import confinement, demand

GOOD = """
fleet = "home"
device = "desk-pi"
board = "lamplight/simulated"
state = "/var/lib/lamplight"
roots = "/etc/lamplight/roots"
[broker]
host = "127.0.0.1"
username = "desk-pi"
password_file = "/etc/lamplight/password"
"""


def test_a_good_file_is_read_with_the_standard_port(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(GOOD)
    config = load(path)
    assert (config.device, config.broker.port, config.simulation) == ("desk-pi", 1883, None)


def test_nothing_is_demanded_and_no_network_allowed_unless_it_says_so(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(GOOD)
    assert load(path).confinement == ConfinementConfig(require=(), network=False)
    path.write_text(GOOD + '[confinement]\nrequire = ["filesystem", "user"]\nnetwork = true\n')
    assert load(path).confinement == ConfinementConfig(require=("filesystem", "user"), network=True)


def test_the_example_in_the_documentation_is_accepted(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "confinement.md").read_text()
    path = tmp_path / "agent.toml"
    path.write_text(GOOD + page.split("```\n")[1])
    required = load(path).confinement.require
    assert required
    demand(required, dict.fromkeys(confinement({}), "something"))


def test_with_what_a_board_asks_to_be_let_in_is_the_cards(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(GOOD)
    assert load(path).enrolment is None
    path.write_text(GOOD + '[enrolment]\npassword_file = "/lib/enrol"\n')
    assert load(path).enrolment == EnrolmentConfig(Path("/lib/enrol"))
    path.write_text(GOOD + '[enrolment]\npassword_file = "/lib/enrol"\ntoken_file = "/lib/token"\n')
    assert load(path).enrolment == EnrolmentConfig(Path("/lib/enrol"), Path("/lib/token"))
    for wrong in ("[enrolment]\n", '[enrolment]\npassword_file = "/lib/enrol"\npassword = "x"\n'):
        path.write_text(GOOD + wrong)
        with pytest.raises(UsageError, match="enrolment"):
            load(path)


def test_http_and_folders_are_what_the_operator_says(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(GOOD + '[http]\nhost = "0.0.0.0"\nport = 80\n[folders]\ninbox = "/srv/inbox"\n')
    config = load(path)
    assert (config.http.host, config.http.port, config.http.certificate) == ("0.0.0.0", 80, None)
    assert config.folders == {"inbox": Path("/srv/inbox")}
    path.write_text(GOOD)
    assert load(path).http.host == "127.0.0.1"


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="Provision the board"):
        load(tmp_path / "agent.toml")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('device = "desk-pi"', 'device = "../evil"'), "not a name"),
        (('host = "127.0.0.1"', "host = 7"), "agent.toml.broker.host"),
        (('fleet = "home"', 'flet = "home"'), "unknown key 'flet'"),
        (("[broker]", "[broker"), "agent.toml"),
        (('username = "desk-pi"', 'username = "desk-pi"\nport = 70000'), "70000 is not between"),
        (("[broker]", '[confinement]\nrequire = "filesystem"\n[broker]'), "confinement.require: expected a list"),
        (("[broker]", "[confinement]\nrequire = [7]\n[broker]"), "confinement.require: expected a string"),
        (("[broker]", "[confinement]\nnetwork = 1\n[broker]"), "confinement.network: expected true or false"),
        (("[broker]", "[confinement]\nrequires = []\n[broker]"), "unknown key 'requires'"),
        (("[broker]", '[http]\ncertificate = "/c.pem"\n[broker]'), "certificate and key go together"),
        (("[broker]", '[folders]\nkeys = "/var/lib/lamplight/update"\n[broker]'), "apart from the agent's own"),
        (("[broker]", '[folders]\nkeys = "/etc/lamplight"\n[broker]'), "apart from the agent's own"),
        (("[broker]", '[folders]\nkeys = "/srv/../etc/lamplight/roots"\n[broker]'), "apart from the agent's own"),
        (("[broker]", '[folders]\nall = "/"\n[broker]'), "apart from the agent's own"),
        (("[broker]", '[folders]\ninbox = "inbox"\n[broker]'), "not a whole path"),
    ],
)
def test_a_wrong_file_names_the_key(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(GOOD.replace(*change))
    with pytest.raises(UsageError, match=told):
        load(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError):
        load(path)


def broker_of(tmp_path, **fields):
    lines = [f"{key} = {json.dumps(value)}" for key, value in fields.items()]
    head = 'fleet = "home"\ndevice = "pi"\nboard = "lamplight/simulated"\nstate = "/s"\nroots = "/r"\n[broker]\n'
    path = tmp_path / "agent.toml"
    path.write_text(head + "\n".join([*lines, 'username = "pi"', 'password_file = "/p"', ""]))
    return load(path).broker


def test_a_broker_elsewhere_is_reached_by_tls_unless_it_is_said_otherwise(tmp_path):
    assert (broker_of(tmp_path, host="lamp.local").tls, broker_of(tmp_path, host="lamp.local").port) == (True, 8883)
    plain = broker_of(tmp_path, host="lamp.local", tls=False)
    assert (plain.tls, plain.port) == (False, 1883)
    here = broker_of(tmp_path, host="127.0.0.1")
    assert (here.tls, here.port) == (False, 1883)


def test_an_authority_without_tls_is_a_contradiction(tmp_path):
    with pytest.raises(UsageError, match="ca_file"):
        broker_of(tmp_path, host="lamp.local", tls=False, ca_file="/ca.pem")


@pytest.mark.parametrize("key", ["token_file", "key"])
def test_a_folder_with_a_secret_of_http_is_not_granted(tmp_path: Path, key: str) -> None:
    path = tmp_path / "agent.toml"
    certificate = 'certificate = "/etc/lamplight/http.pem"\n' if key == "key" else ""
    path.write_text(GOOD + f'[http]\n{certificate}{key} = "/srv/inbox/secret"\n[folders]\ninbox = "/srv/inbox"\n')
    with pytest.raises(UsageError, match="inbox"):
        load(path)
