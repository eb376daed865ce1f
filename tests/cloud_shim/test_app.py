"""The shim as a process: serves, streams, is killed, stops."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from contextlib import contextmanager

import httpx
import pytest

from cloud_shim.cli.up import ports
from cloud_shim.people import token_files
from device.protocol.messages import Batch
from tests import samples

BOARD = "lamplight/simulated"


class Serving:
    """A shim process for a broker; `start` again after a `kill` as a supervisor would."""

    def __init__(self, broker, port, until) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._until = until
        self.state = broker.state
        self._command = [sys.executable, "-m", "cloud_shim.app", "--state", str(broker.state)]
        self._command += ["--port", str(port), "--broker-port", str(broker.port)]
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self._command, stderr=subprocess.PIPE)
        self._until(self._ready, "the shim's health")

    def _ready(self):
        try:
            return self.get("/api/health")["broker"]["connected"]
        except httpx.TransportError:
            return False

    def get(self, path):
        return httpx.get(f"{self.url}{path}", headers=self.headers).json()

    def post(self, path, **arguments):
        return httpx.post(f"{self.url}{path}", headers=self.headers, **arguments).json()

    @property
    def headers(self):
        file = self.state / token_files.FILE
        return {"Authorization": f"Bearer {file.read_text().strip()}"} if file.exists() else {}

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        return self.process.communicate(timeout=20)[1].decode()


@pytest.fixture
def serving(mosquitto, until):
    shim = Serving(mosquitto, ports.free(), until)
    shim.start()
    yield shim
    shim.stop()


@pytest.fixture
def pi(serving, mosquitto, connect):
    made = serving.post("/api/devices", json={"name": "pi", "board": BOARD, "simulation": None})
    client = connect(mosquitto.port, "pi", made["password"])
    client.subscribe("lamplight/1/home/d/pi/ack")

    def send(*seqs):
        batch = Batch("1-0123abcd", [samples.log(seq, text="x" * 50) for seq in seqs])
        client.publish("lamplight/1/home/d/pi/up/logs", batch.encode(), qos=0)

    client.send = send
    client.acks = lambda: [json.loads(each)["seq"] for each in client.of("lamplight/1/home/d/pi/ack")]
    return client


@contextmanager
def reading(serving, last_id=None, query=""):
    """Follows the stream on a thread: gives the list of (event, id, data), which grows."""
    events, fields = [], {}
    headers = {**serving.headers, **({"Last-Event-ID": str(last_id)} if last_id is not None else {})}
    with (
        httpx.Client(timeout=httpx.Timeout(10, read=None)) as client,
        client.stream("GET", f"{serving.url}/api/stream{query}", headers=headers) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")

        def follow():
            try:
                for line in response.iter_lines():
                    name, _, value = line.partition(": ")
                    fields[name] = value
                    if not line and "event" in fields:
                        events.append((fields["event"], int(fields["id"]), json.loads(fields["data"])))
                        fields.clear()
            except httpx.TransportError:
                pass

        threading.Thread(target=follow, daemon=True).start()
        yield events


def seqs(events):
    return [data["seq"] for event, _, data in list(events) if event == "record"]


def test_stream_starts_with_the_devices_and_goes_on_with_what_changes(serving, pi, until):
    pi.send(1)
    until(pi.acks)
    with reading(serving) as events:
        until(lambda: events)
        assert events[0][0] == "device"
        assert events[0][2] == serving.get("/api/devices/pi")
        place = events[0][1]
        pi.send(2, 3)
        until(lambda: len(seqs(events)) == 2)
        assert [id for event, id, _ in events if event == "record"] == [place + 1, place + 2]
        pi.publish("lamplight/1/home/d/pi/presence", b'{"online": false, "session": 1}', True)
        until(lambda: events[-1][0] == "device" and not events[-1][2]["online"])


def test_reconnecting_reader_misses_nothing_and_gets_nothing_twice_while_records_pour_in(serving, pi, until):
    total, got, place = 600, [], 0

    def pour():
        for n in range(0, total, 10):
            pi.send(*range(n, n + 10))
            # As a device does: more than a batch or two on their way are dropped, for they come again.
            until(lambda n=n: n + 9 in pi.acks())

    sender = threading.Thread(target=pour)
    sender.start()
    while len(got) < total:
        with reading(serving, last_id=place) as events:
            until(lambda events=events: seqs(events))
        records = [(id, data["seq"]) for event, id, data in events if event == "record"]
        got += [seq for _, seq in records]
        place = records[-1][0]
    sender.join()
    assert got == list(range(total))


def test_stream_of_one_device_has_nothing_of_the_others(serving, pi, until):
    serving.post("/api/devices", json={"name": "tv", "board": BOARD, "simulation": None})
    with reading(serving, query="?device=tv") as events:
        until(lambda: events)
        pi.send(1)
        until(pi.acks)
        serving.post("/api/devices", json={"name": "tv", "board": BOARD, "simulation": None})
        until(lambda: len(events) == 2)
        assert {data["name"] for _, _, data in events} == {"tv"}


@pytest.mark.parametrize(("query", "last", "status"), [("?device=no", "", 404), ("", "x", 400), ("", "-1", 400)])
def test_malformed_stream_request_is_refused(serving, query, last, status):
    assert (
        httpx.get(f"{serving.url}/api/stream{query}", headers={**serving.headers, "Last-Event-ID": last}).status_code
        == status
    )


def test_shim_killed_before_its_acknowledgement_arrived_keeps_each_record_once(serving, pi, until):
    pi.send(1, 2, 3)
    until(lambda: len(serving.get("/api/records")["records"]) == 3)
    serving.stop(signal.SIGKILL)
    pi.received.clear()
    serving.start()
    # What a device does that got no acknowledgement; what comes before the shim has subscribed anew is lost.
    until(lambda: pi.send(1, 2, 3, 4) or pi.acks())
    assert set(pi.acks()) == {4}
    assert [each["seq"] for each in serving.get("/api/records")["records"]] == [1, 2, 3, 4]


def test_records_sent_while_the_shim_is_killed_again_and_again_arrive_once_each_in_order(serving, pi, until):
    """A device that keeps at most one batch on its way, as the protocol says, against a shim that is killed."""
    total, stop = 300, threading.Event()

    def device():
        done = -1
        while done < total - 1 and not stop.is_set():
            pi.send(*range(done + 1, min(done + 11, total)))
            stop.wait(0.05)
            done = max([done, *pi.acks()])

    sender = threading.Thread(target=device)
    sender.start()
    try:
        for part in (1, 2):
            until(lambda part=part: len(serving.get("/api/records?limit=5000")["records"]) >= part * 50)
            serving.stop(signal.SIGKILL)
            serving.start()
        until(lambda: max(pi.acks(), default=0) == total - 1)
    finally:
        stop.set()
        sender.join()
    assert [each["seq"] for each in serving.get("/api/records?limit=5000")["records"]] == list(range(total))


def test_told_to_stop_it_ends_its_streams_and_stops(serving, until):
    serving.post("/api/devices", json={"name": "pi", "board": BOARD, "simulation": None})
    with reading(serving) as events:
        until(lambda: events)
        said = serving.stop()
    assert "Traceback" not in said
    assert "ERROR" not in said


def test_port_in_use_is_told_in_one_line(mosquitto):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "cloud_shim.app", "--state", str(mosquitto.state)]
        command += ["--port", str(port), "--broker-port", str(mosquitto.port)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert f"port {port}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_second_shim_on_the_same_folder_is_refused_and_the_first_goes_on(serving, pi, mosquitto, until):
    command = [sys.executable, "-m", "cloud_shim.app", "--state", str(mosquitto.state)]
    command += ["--port", "0", "--broker-port", str(mosquitto.port)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "Another shim" in ended.stderr
    pi.send(1)
    until(pi.acks)


def test_state_folder_without_a_broker_is_told(tmp_path):
    command = [sys.executable, "-m", "cloud_shim.app", "--state", str(tmp_path), "--port", "0", "--broker-port", "1"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 3
    assert "Traceback" not in ended.stderr


def test_a_stream_ends_at_once_when_the_token_that_reads_it_is_revoked(serving):
    made = serving.post("/api/tokens", json={"name": "reader", "permission": "view"})
    headers = {"Authorization": f"Bearer {made['token']}"}
    with httpx.stream("GET", f"{serving.url}/api/stream", headers=headers, timeout=httpx.Timeout(30)) as response:
        # The stream's heartbeat is 15 s, and a stream without an end would run into the limit of 30.
        lines = response.iter_lines()
        ended = threading.Event()
        threading.Thread(target=lambda: (list(lines), ended.set()), daemon=True).start()
        assert response.status_code == 200
        answer = httpx.delete(f"{serving.url}/api/tokens/reader", headers=serving.headers)
        assert answer.json() == {"revoked": "reader"}
        assert ended.wait(10)
    assert httpx.get(f"{serving.url}/api/stream", headers=headers).status_code == 401


def test_a_rotated_token_of_the_owner_outlives_a_restart_and_the_old_one_does_not(serving):
    before = serving.headers
    serving.post("/api/tokens/owner/rotate")
    assert serving.headers != before
    serving.stop()
    serving.start()
    assert serving.get("/api/devices") == {"devices": []}
    assert httpx.get(f"{serving.url}/api/devices", headers=before).status_code == 401


def test_what_the_shim_writes_of_tokens_is_for_its_owner_only_whatever_the_umask(
    mosquitto, until, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    before = os.umask(0)
    try:
        shim = Serving(mosquitto, ports.free(), until)
        shim.start()
    finally:
        os.umask(before)
    try:
        note = next((tmp_path / "config" / "lamplight" / "shims").iterdir())
        assert note.read_text().strip() == str((mosquitto.state / token_files.FILE).resolve())
        private = (mosquitto.state / token_files.FILE, note)
        assert [stat.S_IMODE(each.stat().st_mode) for each in private] == [0o600, 0o600]
        folders = (mosquitto.state, note.parent)
        assert [stat.S_IMODE(each.stat().st_mode) for each in folders] == [0o700, 0o700]
        token = (mosquitto.state / token_files.FILE).read_text().strip()
        assert token.encode() not in b"".join(each.read_bytes() for each in mosquitto.state.glob("shim.db*"))
    finally:
        shim.stop()
    assert not note.exists()
