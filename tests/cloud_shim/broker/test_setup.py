"""What both brokers must do; for mosquitto also what a kill, and a stale process id, must not."""

import subprocess
import sys

import pytest

from cloud_shim.broker import access, credentials
from cloud_shim.broker import setup as broker
from device.enrol.secret import hash_password
from device.protocol import topics

ROOT = "lamplight/1/home"


@pytest.fixture
def as_shim(either_broker, connect):
    return connect(either_broker.port, access.SHIM_USER, broker.shim_password(either_broker.state))


def test_messages_pass_between_a_device_and_the_shim(either_broker, as_shim, admit, connect, until):
    pi = connect(either_broker.port, "pi", admit(either_broker, "pi")["pi"])
    as_shim.subscribe(f"{ROOT}/d/+/up/+")
    pi.subscribe(f"{ROOT}/d/pi/desired")
    pi.publish(f"{ROOT}/d/pi/up/logs", b"batch")
    as_shim.publish(f"{ROOT}/d/pi/desired", b"desired", retain=True)
    until(lambda: pi.of(f"{ROOT}/d/pi/desired") == [b"desired"])
    until(lambda: as_shim.of(f"{ROOT}/d/pi/up/logs") == [b"batch"])


def test_a_device_admitted_while_the_broker_runs_gets_in_and_the_others_stay(either_broker, admit, connect, until):
    passwords = admit(either_broker, "pi")
    pi = connect(either_broker.port, "pi", passwords["pi"])
    hashes = credentials.read(broker.folder(either_broker.state) / "passwords")
    broker.set_devices(either_broker.state, "home", {"pi": hashes["pi"], "tv": hash_password("two")})
    connect(either_broker.port, "tv", "two")
    assert pi.connected()


def test_the_password_of_cards_that_were_voided_is_refused_and_devices_stay(either_broker, admit, connect, until):
    pi = connect(either_broker.port, "pi", admit(either_broker, "pi")["pi"])
    lost = broker.enrol_password(either_broker.state)
    connect(either_broker.port, topics.ENROL_USER, lost).close()
    broker.renew_enrol_password(either_broker.state)
    connect(either_broker.port, topics.ENROL_USER, broker.enrol_password(either_broker.state))
    thief = connect(either_broker.port, topics.ENROL_USER, lost, wait=False)
    until(lambda: thief.refused)
    assert pi.connected()


def test_functions_of_two_devices_meet_on_a_topic_of_the_fleet(either_broker, admit, connect, until):
    passwords = admit(either_broker, "pi", "tv")
    pi = connect(either_broker.port, "pi", passwords["pi"])
    pi.subscribe(f"{ROOT}/t/light/+")
    tv = connect(either_broker.port, "tv", passwords["tv"])
    tv.publish(f"{ROOT}/t/sound/changed", b"quiet")
    tv.publish(f"{ROOT}/t/light/changed", b"dark")
    until(lambda: pi.of(f"{ROOT}/t/light/changed") == [b"dark"])
    assert len(pi.received) == 1


@pytest.mark.parametrize(
    ("user", "password"), [("pi", "guess"), ("pi", ""), ("stranger", "x"), (access.SHIM_USER, "x")]
)
def test_guessed_password_is_refused(either_broker, admit, connect, until, user, password):
    admit(either_broker, "pi")
    client = connect(either_broker.port, user, password, wait=False)
    until(lambda: client.refused)
    assert not client.connected()


def test_device_that_subscribes_to_everything_gets_only_its_own(either_broker, as_shim, admit, connect, until):
    passwords = admit(either_broker, "pi", "tv")
    as_shim.publish(f"{ROOT}/d/tv/desired", b"retained secret", retain=True)
    pi = connect(either_broker.port, "pi", passwords["pi"])
    pi.subscribe("#")
    tv = connect(either_broker.port, "tv", passwords["tv"])
    tv.publish(f"{ROOT}/d/tv/reported", b"secret", retain=True)
    as_shim.publish(f"{ROOT}/d/tv/call/lamp", b"secret")
    as_shim.publish(f"{ROOT}/d/pi/ack", b"last")
    until(lambda: pi.of(f"{ROOT}/d/pi/ack"))
    assert {topic for topic, _ in pi.received} == {f"{ROOT}/d/pi/ack"}


def test_device_forging_another_ones_or_the_shims_messages_is_ignored(either_broker, as_shim, admit, connect, until):
    passwords = admit(either_broker, "pi", "tv")
    as_shim.subscribe(f"{ROOT}/#")
    pi = connect(either_broker.port, "pi", passwords["pi"])
    for topic in ("d/tv/reported", "d/tv/up/logs", "d/pi/desired", "d/tv/desired", "d/pi/ack", f"c/{'a' * 64}"):
        pi.publish(f"{ROOT}/{topic}", b"forged", retain=True)
    pi.publish(f"{ROOT}/d/pi/reported", b"last")
    until(lambda: as_shim.of(f"{ROOT}/d/pi/reported"))
    assert {topic for topic, _ in as_shim.received} == {f"{ROOT}/d/pi/reported"}


def test_will_on_another_devices_topic_is_not_published(either_broker, as_shim, admit, connect, until):
    passwords = admit(either_broker, "pi", "tv")
    as_shim.subscribe(f"{ROOT}/#")
    pi = connect(either_broker.port, "pi", passwords["pi"], wait=False, will=(f"{ROOT}/d/tv/presence", b"forged"))
    until(lambda: pi.connected() or pi.refused)
    if pi.connected():
        pi.vanish()
    tv = connect(either_broker.port, "tv", passwords["tv"])
    tv.publish(f"{ROOT}/d/tv/reported", b"last")
    until(lambda: as_shim.of(f"{ROOT}/d/tv/reported"))
    assert not as_shim.of(f"{ROOT}/d/tv/presence")


def test_client_that_connects_is_not_handed_what_others_subscribed_to(either_broker, as_shim, admit, connect, until):
    passwords = admit(either_broker, "pi")
    as_shim.subscribe(f"{ROOT}/d/+/reported")
    as_shim.publish(f"{ROOT}/d/pi/desired", b"desired", retain=True)
    as_shim.publish(f"{ROOT}/d/tv/reported", b"retained", retain=True)
    pi = connect(either_broker.port, "pi", passwords["pi"])
    pi.subscribe(f"{ROOT}/d/pi/desired")
    until(lambda: pi.of(f"{ROOT}/d/pi/desired"))
    assert {topic for topic, _ in pi.received} == {f"{ROOT}/d/pi/desired"}


def test_changed_password_ends_the_old_connection(mosquitto, admit, connect, until):
    old = connect(mosquitto.port, "pi", admit(mosquitto, "pi")["pi"])
    admit(mosquitto, "pi")
    until(lambda: old.refused)


@pytest.fixture
def asking(mosquitto, connect):
    """Connects as a board that has no password yet, under this client id."""
    password = broker.enrol_password(mosquitto.state)
    return lambda id: connect(mosquitto.port, topics.ENROL_USER, password, id=id)


def test_a_board_that_is_not_let_in_can_ask_and_is_answered_and_nothing_else(mosquitto, asking, admit, connect, until):
    admit(mosquitto, "pi")
    shim = connect(mosquitto.port, access.SHIM_USER, broker.shim_password(mosquitto.state))
    shim.subscribe(f"{ROOT}/#")
    for topic in (f"c/{'a' * 64}", "d/pi/desired", "t/light", "e/_enrol/other/answer"):
        shim.publish(f"{ROOT}/{topic}", b"secret", retain=True)
    board = asking("board")
    board.subscribe("#")
    for topic in ("d/pi/reported", "d/_enrol/presence", "t/light", f"c/{'b' * 64}", "e/pi/board/ask", "e/_enrol/x/ask"):
        board.publish(f"{ROOT}/{topic}", b"forged", retain=True)
    board.publish(f"{ROOT}/e/_enrol/board/ask", b"ask")
    until(lambda: shim.of(f"{ROOT}/e/_enrol/board/ask"))
    shim.publish(f"{ROOT}/e/_enrol/board/answer", b"answer")
    until(lambda: board.of(f"{ROOT}/e/_enrol/board/answer"))
    assert {payload for _, payload in board.received} == {b"answer"}
    assert b"forged" not in {payload for _, payload in shim.received}


@pytest.mark.parametrize("id", ["+", "#", "+/answer"])
def test_a_client_id_that_is_a_wildcard_opens_nothing(mosquitto, asking, connect, until, id):
    shim = connect(mosquitto.port, access.SHIM_USER, broker.shim_password(mosquitto.state))
    board, other = asking(id), asking("other")
    board.subscribe("#")
    other.subscribe(f"{ROOT}/e/_enrol/other/answer")
    shim.publish(f"{ROOT}/e/_enrol/other/answer", b"answer")
    until(lambda: other.received)
    assert not board.received


def test_a_device_whose_password_has_ended_can_only_ask_until_it_has_another(mosquitto, admit, connect, until):
    pi = connect(mosquitto.port, "pi", admit(mosquitto, "pi")["pi"])
    hashes = credentials.read(broker.folder(mosquitto.state) / "passwords")
    shim = connect(mosquitto.port, access.SHIM_USER, broker.shim_password(mosquitto.state))
    shim.subscribe(f"{ROOT}/#")
    broker.set_devices(mosquitto.state, "home", {"pi": hashes["pi"]}, {"pi"})

    def refused() -> bool:
        pi.publish(f"{ROOT}/d/pi/reported", b"early")
        pi.publish(f"{ROOT}/e/pi/pi/ask", b"ask")
        until(lambda: shim.of(f"{ROOT}/e/pi/pi/ask"))
        told = [payload for _, payload in shim.received]
        shim.received.clear()
        return b"early" not in told

    until(refused)
    assert pi.connected()
    broker.set_devices(mosquitto.state, "home", {"pi": hashes["pi"]})
    until(lambda: not refused())


def test_a_device_that_is_shut_out_is_disconnected_at_once(mosquitto, admit, connect, until):
    passwords = admit(mosquitto, "pi", "tv")
    pi, tv = (connect(mosquitto.port, name, passwords[name]) for name in ("pi", "tv"))
    hashes = credentials.read(broker.folder(mosquitto.state) / "passwords")
    broker.set_devices(mosquitto.state, "home", {"tv": hashes["tv"]})
    until(lambda: pi.refused)
    assert tv.connected()


def test_a_broker_that_starts_before_the_shim_lets_devices_do_what_they_might(mosquitto, admit, connect, until):
    passwords = admit(mosquitto, "pi")
    mosquitto.stop()
    mosquitto.start()
    shim = connect(mosquitto.port, access.SHIM_USER, broker.shim_password(mosquitto.state))
    shim.subscribe(f"{ROOT}/#")
    connect(mosquitto.port, "pi", passwords["pi"]).publish(f"{ROOT}/d/pi/reported", b"here")
    until(lambda: shim.of(f"{ROOT}/d/pi/reported"))


def test_what_was_acknowledged_survives_a_restart(mosquitto, admit, connect, until):
    """Not a kill: what that loses comes again from the shim, see test_shim.py."""
    shim = connect(mosquitto.port, access.SHIM_USER, broker.shim_password(mosquitto.state))
    shim.publish(f"{ROOT}/d/pi/desired", b"desired", retain=True)
    mosquitto.stop()
    mosquitto.start()
    pi = connect(mosquitto.port, "pi", admit(mosquitto, "pi")["pi"])
    pi.subscribe(f"{ROOT}/d/pi/desired")
    until(lambda: pi.of(f"{ROOT}/d/pi/desired"))


def test_preparing_again_keeps_the_passwords(admit, mosquitto, connect):
    passwords, shim = admit(mosquitto, "pi"), broker.shim_password(mosquitto.state)
    mosquitto.stop()
    mosquitto.start()
    assert broker.shim_password(mosquitto.state) == shim
    connect(mosquitto.port, "pi", passwords["pi"])


def test_a_password_whose_making_was_cut_off_is_made_anew(tmp_path, monkeypatch):
    broker.prepare(tmp_path, 1, "home")

    def cut(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as cutting:
        cutting.setattr(credentials, "write", cut)
        with pytest.raises(KeyboardInterrupt):
            broker.renew_enrol_password(tmp_path)
    broker.prepare(tmp_path, 1, "home")
    known = credentials.read(broker.folder(tmp_path) / "passwords")
    assert credentials.matches(broker.enrol_password(tmp_path), known[topics.ENROL_USER])
    kept = broker.enrol_password(tmp_path)
    broker.prepare(tmp_path, 1, "home")
    assert broker.enrol_password(tmp_path) == kept


def test_stale_process_id_of_a_killed_broker_signals_nobody_else(tmp_path):
    broker.prepare(tmp_path, 1, "home")
    # Dies of a SIGHUP, unless none is sent.
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        (broker.folder(tmp_path) / "mosquitto.pid").write_text(str(bystander.pid))
        broker.set_devices(tmp_path, "home", {})
        bystander.communicate(b"\n", timeout=30)
        assert bystander.returncode == 0
    finally:
        bystander.kill()
        bystander.wait()


def test_no_password_is_readable_by_others(mosquitto):
    for path in broker.folder(mosquitto.state).iterdir():
        if path.name in ("passwords", "shim.password", "access"):
            assert path.stat().st_mode & 0o077 == 0
