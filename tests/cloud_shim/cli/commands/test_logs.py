"""Past and coming lines of the log."""

import json

import pytest

from cloud_shim.cli import client


def line(identity, text, stream="logs", function="night-light"):
    identity_of = {"id": identity, "device": "desk-pi", "stream": stream, "boot": "1-00000000", "seq": identity}
    said = {"time": 0.5, "received": 1.0, "kind": "log", "function": function, "version": 1}
    return {**identity_of, **said, "level": "info", "text": text}


@pytest.fixture
def logged(shim, device):
    """A shim with these lines: each stream's by the query's `stream` are told apart in the records themselves."""

    def put(*records):
        shim.answers["GET /api/devices/desk-pi"] = device()
        shim.answers["GET /api/records"] = lambda _: {"records": list(records)}

    return put


def test_lines_of_both_streams_are_shown_once_in_order(shim, run):
    answers = iter([[line(4, "four")], [line(1, "one"), line(4, "four")], [line(2, "two", "events")]])
    shim.answers["GET /api/records"] = lambda _: {"records": next(answers)}
    out = run("logs")[1]
    assert [each.split()[-1] for each in out.splitlines()] == ["one", "two", "four"]


def test_n_keeps_the_last(shim, run):
    answers = iter([[line(4, "four")], [line(1, "one"), line(4, "four")], [line(2, "two", "events")]])
    shim.answers["GET /api/records"] = lambda _: {"records": next(answers)}
    assert [each.split()[-1] for each in run("logs", "-n", "2")[1].splitlines()] == ["two", "four"]


def test_more_lines_than_the_shim_gives_at_once_are_a_usage_error(shim, run):
    shim.answers["GET /api/records"] = {"records": []}
    assert run("logs", "-n", "5000")[0] == 0
    assert run("logs", "-n", "5001")[0] == 2


def test_a_misspelt_device_is_an_error_and_no_empty_log(shim, run):
    shim.refuse("GET /api/devices/desk-py", 404, 3, "There is no device 'desk-py'")
    assert run("logs", "desk-py")[0] == 3


def test_an_escape_sequence_in_a_log_does_not_reach_the_terminal(shim, run):
    hostile = line(1, "\x1b]0;owned\x07\x1b[2Jtext")
    answers = iter([[hostile], [hostile], []])
    shim.answers["GET /api/records"] = lambda _: {"records": next(answers)}
    out = run("logs")[1]
    assert "\x1b" not in out
    assert "\x07" not in out
    assert out.endswith("text\n")


def test_tail_goes_on_after_the_last_line_with_what_belongs_to_the_function(shim, run, device, logged, monkeypatch):
    logged(line(7, "old"))
    coming = [line(8, "new"), line(9, "reading", "telemetry"), line(10, "other", function="blink")]
    stream = ": hello\n\n" + "".join(f"event: record\nid: {e['id']}\ndata: {json.dumps(e)}\n\n" for e in coming)
    # After the stream's end the client takes it up again; here that is where the reader presses Ctrl-C.
    streams = iter([stream])

    def answer(_):
        try:
            return next(streams)
        except StopIteration:
            return 404, {"error": {"what": "enough", "why": "", "remedy": "", "exit_code": 3}}

    shim.answers["GET /api/stream"] = answer
    monkeypatch.setattr("cloud_shim.cli.client._RECONNECT", 0)
    code, out, err = run("logs", "desk-pi/night-light", "--tail", "--json", "-n", "0")
    assert [json.loads(each)["text"] for each in out.splitlines()] == ["new"]
    assert (code, "enough" in err) == (3, True)


def test_a_function_that_the_device_never_had_is_an_error_and_one_without_lines_is_not(shim, run, logged):
    logged()
    code, out, err = run("logs", "desk-pi/nihgt-light")
    assert (code, out) == (3, "")
    assert "night-light" in err
    assert run("logs", "desk-pi/night-light")[:2] == (0, "")


def test_a_line_that_comes_between_the_past_and_the_tail_is_shown_once(shim, run, device, monkeypatch):
    """A real stream, as far as its place goes: it gives what follows the id that it is asked for."""
    log = []
    shim.answers["GET /api/devices/desk-pi"] = device()

    def records(_):
        shown = list(log)
        # The first comes when the log's newest line has just been looked up, one more after each look at the past.
        log.append(line(len(log) + 1, f"number {len(log) + 1}"))
        return {"records": shown}

    shim.answers["GET /api/records"] = records
    places = []

    def stream(_):
        if len(places) > 1:
            return 404, {"error": {"what": "enough", "why": "", "remedy": "", "exit_code": 3}}
        return "".join(f"event: record\nid: {e['id']}\ndata: {json.dumps(e)}\n\n" for e in log if e["id"] > places[-1])

    shim.answers["GET /api/stream"] = stream
    monkeypatch.setattr("cloud_shim.cli.client._RECONNECT", 0)
    follow = client.Client.follow

    def following(self, device, last_id):
        places.append(int(last_id))
        for each in follow(self, device, last_id):
            yield each
            if each.id == str(log[-1]["id"]):
                return

    monkeypatch.setattr(client.Client, "follow", following)
    code, out, _ = run("logs", "desk-pi", "--tail")
    assert code == 0
    assert [each.split()[-1] for each in out.splitlines()] == ["1", "2", "3"]


@pytest.fixture
def many(shim):
    """A shim with 12,000 lines of the log, the 7th of them an error; it answers as the true one does."""
    every = [line(number, "lost" if number == 7 else "x") for number in range(1, 12_001)]
    every[6]["level"] = "error"

    def answer(_):
        asked = shim.queries[-1][1]
        if asked.get("stream", "logs") != "logs":
            return {"records": []}
        found = every[: int(asked["before"]) - 1] if "before" in asked else every
        return {"records": found[-int(asked["limit"]) :]}

    shim.answers["GET /api/records"] = answer
    return every


@pytest.mark.parametrize("wanted", [("--level", "warning"), ("--grep", "lost"), ("--level", "error", "--grep", "l.st")])
def test_a_line_far_back_is_found_by_its_level_or_text(many, run, wanted):
    assert [each.split()[-1] for each in run("logs", *wanted)[1].splitlines()] == ["lost"]


def test_since_ends_the_search_and_n_counts_what_is_left(many, run):
    for each in many[-3:]:
        each["time"] = each["received"] = 2e9
    many[-1]["text"] = "last"
    assert len(run("logs", "--since", "2033-01-01")[1].splitlines()) == 3
    assert [each.split()[-1] for each in run("logs", "--since", "2033-01-01", "-n", "1")[1].splitlines()] == ["last"]


def test_an_older_shim_that_gives_the_same_page_for_ever_ends_the_search(shim, run):
    shim.answers["GET /api/records"] = lambda _: {"records": [line(1, "x")]}
    assert run("logs", "--grep", "lost")[:2] == (0, "")


@pytest.mark.parametrize("wrong", [("--since", "soon"), ("--grep", "("), ("--level", "loud")])
def test_what_cannot_be_filtered_by_is_a_usage_error(shim, run, wrong):
    shim.answers["GET /api/records"] = {"records": []}
    assert run("logs", *wrong)[0] == 2
