"""Triggers and functions together: real workers behind real sockets, folders and results."""

import http.client
import json
import os
import socket
import time

import pytest
from fake_hardware import FakeHardware
from runtime_bench import Bench, until

from device import triggers
from device.config import HttpConfig
from device.errors import LamplightError, RejectedError
from device.runtime import trigger_set
from device.runtime.supervisor import Supervisor
from device.triggers import Sources

SAY = """
def handler(event, context):
    context.publish("seen", {"type": event.type, "source": event.source, "subject": event.subject, "data": event.data})
    return event.data
"""


def served(tmp_path, http):
    """A bench with a folder and an address for HTTP."""
    bench = Bench(tmp_path)
    bench.supervisor.close()
    bench.inbox = tmp_path / "inbox"
    bench.inbox.mkdir()
    folders = {"inbox": bench.inbox}
    bench.sources = Sources(bench.hardware, bench.records.emit, "/home/desk-pi/1-ab", http, folders)
    bench.supervisor = Supervisor(
        bench.hardware, bench.records.emit, tmp_path / "scratch", tmp_path / "states", sources=bench.sources
    )
    return bench


@pytest.fixture
def bench(tmp_path):
    bench = served(tmp_path, HttpConfig(port=0))
    yield bench
    bench.supervisor.close()


def seen(bench, **fields):
    return bench.records.wait("publish", **fields)[0]["data"]


def ask(bench, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", bench.sources.port, timeout=30)
    connection.request(method, path, body)
    answer = connection.getresponse()
    result = answer.status, answer.read()
    connection.close()
    return result


def test_a_function_answers_http_and_no_longer_when_it_is_removed(bench):
    code = """
    import json
    def handler(event, context):
        if event.data["path"] == "/fail":
            raise ValueError("secret")
        return {"status": 201, "headers": {"X-Id": event.id}, "body": json.loads(event.data["body"])}
    """
    toml = '[[triggers]]\ntype = "http"\npath = "/double"\nmethods = ["POST"]\n'
    toml += '[[triggers]]\ntype = "http"\npath = "/fail"\n'
    bench.run(bench.function(code, toml=toml))
    assert ask(bench, "POST", "/double", json.dumps([1, 2])) == (201, b"[1, 2]")
    assert ask(bench, "GET", "/double")[0] == 405
    status, body = ask(bench, "GET", "/fail")
    assert status == 500
    assert b"secret" not in body
    assert any("secret" in text for text in bench.records.texts("f"))
    bench.supervisor.switch(bench.generation())
    assert ask(bench, "POST", "/double", "1")[0] == 404


def test_a_body_that_grows_beyond_an_event_is_refused_and_harms_nobody(bench):
    bench.run(bench.function(SAY, toml='[[triggers]]\ntype = "http"\npath = "/x"\n'))
    # Each of these bytes becomes six characters of JSON.
    assert ask(bench, "POST", "/x", b"\x01" * 60_000)[0] == 413
    assert ask(bench, "POST", "/x", b"fine")[0] == 200


def test_a_file_starts_a_function(bench):
    bench.run(bench.function(SAY, toml='[[triggers]]\ntype = "file"\nfolder = "inbox"\nmatch = "*.csv"\n'))
    (bench.inbox / "a.csv").write_text("1,2")
    said = seen(bench)
    assert (said["type"], said["subject"], said["data"]["size"]) == ("lamplight.file.put", "a.csv", 3)
    assert said["source"] == "/home/desk-pi/1-ab/file/inbox"


def test_a_result_starts_the_next_function_and_a_message_the_one_after(bench):
    first = bench.function(
        'def handler(event, context): return {"n": 1}', "first", toml='[[triggers]]\ntype = "start"\n'
    )
    second = bench.function(
        "def handler(event, context): context.publish('rooms/hall', event.data['result']['n'] + 1)",
        "second",
        toml='[[triggers]]\ntype = "function"\nfunction = "first"\n',
    )
    third = bench.function(SAY, "third", toml='[[triggers]]\ntype = "mqtt"\ntopic = "rooms/+"\n')
    # A start fires when its function is connected: the others have to listen by then.
    bench.run(bench.function(SAY, "first"), second, third)
    bench.supervisor.switch(bench.generation(first, second, third))
    said = seen(bench, function="third")
    sent = {"topic": "rooms/hall", "data": 2, "from": "/home/desk-pi/1-ab/function/second"}
    assert (said["type"], said["data"]) == ("lamplight.mqtt.message", sent)


def test_functions_that_would_start_each_other_without_end_are_refused_and_nothing_changes(bench):
    bench.run(bench.function(SAY, "a"))
    circle = [
        bench.function(SAY, name, 2, toml=f'[[triggers]]\ntype = "function"\nfunction = "{other}"\n')
        for name, other in (("a", "b"), ("b", "a"))
    ]
    for attempt in (bench.supervisor.check, bench.supervisor.switch):
        with pytest.raises(RejectedError, match="without end"):
            attempt(bench.generation(*circle))
    assert bench.supervisor.call("a", 1) == 1


def test_one_function_has_several_triggers_and_an_event_of_any_type_is_sent_by_hand(bench):
    toml = '[[triggers]]\ntype = "timer"\nevery = "1h"\n'
    toml += '[[triggers]]\ntype = "cron"\nschedule = "0 7 * * *"\nzone = "UTC"\n'
    bench.run(bench.function(SAY, toml=toml))
    assert bench.supervisor.call("f", {"lux": 1.5}, "lamplight.sensor.reading") == {"lux": 1.5}
    said = seen(bench)
    assert (said["type"], said["source"]) == ("lamplight.sensor.reading", "/home/desk-pi/1-ab/call")


def test_triggers_that_a_new_version_keeps_go_on_and_the_others_are_replaced(bench):
    toml = '[[triggers]]\ntype = "http"\npath = "/old"\n[[triggers]]\ntype = "http"\npath = "/kept"\n'
    bench.run(bench.function("def handler(event, context): return 1", toml=toml))
    bench.run(bench.function("def handler(event, context): return 2", version=2, toml=toml.replace("/old", "/new")))
    assert [ask(bench, "GET", path)[0] for path in ("/old", "/new", "/kept")] == [404, 200, 200]
    assert ask(bench, "GET", "/kept")[1] == b"2"


SERVES = '[[triggers]]\ntype = "http"\npath = "/x"\n'


@pytest.fixture
def crowded(tmp_path):
    """A bench whose HTTP port another program of the machine holds, as `taken`."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        made = served(tmp_path, HttpConfig(port=taken.getsockname()[1]))
        made.taken = taken
        yield made
        made.supervisor.close()


def test_an_address_that_is_in_use_refuses_a_deployment_and_names_who_has_it(crowded):
    with pytest.raises(RejectedError) as caught:
        crowded.supervisor.check(crowded.generation(crowded.function(SAY, toml=SERVES)))
    assert caught.value.what == "f's trigger http /x cannot start here"
    assert "HTTP cannot be served" in caught.value.why
    assert f"process {os.getpid()} " in caught.value.why
    assert "agent.toml" in caught.value.remedy


def test_a_trigger_that_cannot_start_is_told_and_tried_again_until_it_can(crowded, monkeypatch):
    monkeypatch.setattr(trigger_set, "RETRY", 0.01)
    monkeypatch.setattr(trigger_set, "LOOK", 0.01)
    crowded.supervisor.resume(crowded.generation(crowded.function(SAY, toml=SERVES)))
    health = crowded.health()
    assert (health.state, [each.trigger for each in health.triggers]) == ("impaired", ["http /x"])
    assert "HTTP cannot be served" in health.triggers[0].error
    assert "agent.toml" in health.triggers[0].remedy
    # What needs no port goes on.
    assert crowded.supervisor.call("f", 1) == 1
    crowded.taken.close()
    until(lambda: crowded.health().state == "running", "the port is free and taken")
    assert ask(crowded, "GET", "/x")[0] == 200
    texts = crowded.records.texts("f")
    assert sum("the trigger http /x does not work" in each for each in texts) == 1
    assert any("http /x works again" in each for each in texts)


def test_what_a_trigger_lacked_before_does_not_refuse_the_next_version(crowded):
    crowded.supervisor.resume(crowded.generation(crowded.function(SAY, toml=SERVES)))
    crowded.supervisor.check(crowded.generation(crowded.function(SAY, version=2, toml=SERVES)))


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('type = "file"\nfolder = "outbox"', "grants: inbox"),
        ('type = "file"\nfolder = "inbox"', "cannot be watched"),
        ('type = "cron"\nschedule = "0 7 * * *"\nzone = "Mars/Olympus"', "no time zone"),
    ],
)
def test_a_trigger_that_is_known_not_to_run_here_refuses_the_deployment(bench, toml, words):
    bench.inbox.rmdir()
    with pytest.raises(RejectedError, match=words):
        bench.supervisor.check(bench.generation(bench.function(SAY, toml=f"[[triggers]]\n{toml}\n")))


def test_a_folder_that_goes_away_later_is_told_and_watched_again_when_it_comes(bench):
    bench.run(bench.function(SAY, toml='[[triggers]]\ntype = "file"\nfolder = "inbox"\n'))
    bench.inbox.rmdir()
    until(lambda: bench.health().state == "impaired", "the folder is missed")
    assert bench.health().triggers[0].trigger == "file inbox"
    bench.inbox.mkdir()
    until(lambda: bench.health().state == "running", "it is watched again")


def test_a_pin_that_cannot_be_watched_is_a_fault_of_its_trigger_until_it_can(bench, monkeypatch):
    def busy(pin, pull):
        raise LamplightError(f"pin {pin!r} is busy", "another process holds it", "end that one")

    monkeypatch.setattr(FakeHardware, "edges", lambda self, pin, pull: busy(pin, pull), raising=False)
    bench.run(bench.function("def handler(event, context): pass"))
    bench.supervisor.switch(
        bench.generation(bench.function(SAY, version=2, toml='[[triggers]]\ntype = "gpio"\npin = "button"\n'))
    )
    health = bench.health()
    assert [each.trigger for each in health.triggers] == ["gpio button"]
    assert "another process holds it" in health.triggers[0].error
    monkeypatch.setattr(FakeHardware, "edges", lambda self, pin, pull: Quiet())
    until(lambda: bench.health().state == "running", "the pin is watched")


def test_a_sensor_that_never_gave_a_reading_is_a_fault_of_its_trigger(bench):
    bench.hardware.light("unplugged")
    bench.supervisor.switch(
        bench.generation(bench.function(SAY, toml='[[triggers]]\ntype = "sensor"\nsensor = "light"\n'))
    )
    # It was read well when the bench began: no single bad reading is a fault.
    until(lambda: bench.health().state == "impaired", "it is missed")
    assert bench.health().triggers[0].trigger == "sensor light"
    bench.hardware.light(50)
    until(lambda: bench.health().state == "running", "it reads again")


def test_a_board_without_room_for_another_trigger_tells_so_and_tries_again(bench, monkeypatch):
    monkeypatch.setattr(trigger_set, "RETRY", 0.01)
    monkeypatch.setattr(trigger_set, "LOOK", 0.01)
    full = {"now": True}

    def make(*given):
        if full["now"]:
            raise OSError(24, "Too many open files")
        return triggers.make(*given)

    monkeypatch.setattr(trigger_set, "make", make)
    bench.supervisor.switch(bench.generation(bench.function(SAY, toml='[[triggers]]\ntype = "timer"\nevery = "1h"\n')))
    assert "Too many open files" in bench.health().triggers[0].error
    full["now"] = False
    until(lambda: bench.health().state == "running", "there is room again")


class Quiet:
    """A pin without edges."""

    level = True

    def wait(self, timeout):
        time.sleep(0.01)
        return []

    def close(self):
        pass
