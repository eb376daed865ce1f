"""Triggers and functions together: real workers behind real sockets, folders and results."""

import http.client
import json

import pytest
from runtime_bench import Bench

from device.config import HttpConfig
from device.errors import RejectedError
from device.runtime.supervisor import Supervisor
from device.triggers import Sources

SAY = """
def handler(event, context):
    context.publish("seen", {"type": event.type, "source": event.source, "subject": event.subject, "data": event.data})
    return event.data
"""


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    bench.supervisor.close()
    bench.inbox = tmp_path / "inbox"
    bench.inbox.mkdir()
    folders, http = {"inbox": bench.inbox}, HttpConfig(port=0)
    bench.sources = Sources(bench.hardware, bench.records.emit, "/home/desk-pi/1-ab", http, folders)
    bench.supervisor = Supervisor(
        bench.hardware, bench.records.emit, tmp_path / "scratch", tmp_path / "states", sources=bench.sources
    )
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


def test_an_address_that_is_in_use_is_told_and_tried_again(bench, caplog, tmp_path):
    bench.run(bench.function(SAY, toml='[[triggers]]\ntype = "http"\npath = "/x"\n'))
    taken = HttpConfig(port=bench.sources.port)
    other = Sources(bench.hardware, bench.records.emit, http=taken)
    second = Supervisor(bench.hardware, bench.records.emit, tmp_path / "second", tmp_path / "kept", sources=other)
    second.switch(bench.generation(bench.function(SAY, "g", toml='[[triggers]]\ntype = "http"\npath = "/y"\n')))
    assert "HTTP cannot be served" in caplog.text
    bench.supervisor.switch(bench.generation())
    assert second.call("g", 1) == 1
    second.close()
