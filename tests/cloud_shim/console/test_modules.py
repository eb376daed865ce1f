"""The pure JavaScript modules, run in the browser that they are written for."""

import json

import pytest
from browser import Page
from fake_shim import Fake, Server
from fake_state import State

pytestmark = pytest.mark.e2e

HISTORY = "((h, pairs) => { pairs.forEach(([t, v]) => h.push(t, v)); return h; })"


@pytest.fixture(scope="module")
def module(chromium):
    """The value of an expression over one of the modules; one page serves for all, for they keep nothing."""
    server = Server(Fake(State()))
    yield Page(chromium, server, "desktop").open("/").module
    chromium.get("about:blank")
    server.close()


@pytest.mark.parametrize(
    ("file", "expression", "value"),
    [
        ("scale.js", "[-1, 0, 2, 4].map(m.toLux)", [0.1, 1, 100, 10000]),
        ("scale.js", "[0, -5, 0.1, 100, 1e9].map(m.toPosition)", [-1, -1, -1, 2, 4]),
        (
            "format.js",
            "[null, NaN, 0, 0.456, 38.24, 213.7, 9870].map(m.lux)",
            ["\u2013", "\u2013", "0", "0.46", "38.2", "214", "9,870"],
        ),
        ("format.js", "[0.84, 9.94, 12.4].map(m.seconds)", ["0.8 s", "9.9 s", "12 s"]),
        ("series.js", "m.decades(118, 420)", [10, 1000]),
        ("series.js", "m.decades(0.4, 420)", [0.1, 1000]),
        ("series.js", "m.decades(null, null)", [1, 1000]),
        ("series.js", "m.powers(0.1, 1000)", [0.1, 1, 10, 100, 1000]),
        ("series.js", "m.fromZero(100).map(Math.round)", [0, 110]),
        (
            "seen.js",
            "((s) => ['a', 'a', 'b', 'c', 'a'].map((k) => s.add(k)))(new m.Seen(2))",
            [True, False, True, True, True],
        ),
        (
            "series.js",
            "((t) => [3, 3, 4, 3].map((v) => t.see('f', v)))(new m.Takeovers())",
            [None, None, "f v4", "f v3"],
        ),
        ("lines.js", "m.toLine({kind: 'reading'})", None),
        ("lines.js", "m.toLine({kind: 'dropped', stream: 'logs', count: 7}).text.slice(0, 17)", "7 records of logs"),
        ("lines.js", "m.matches({level: 'error', source: 'f v3', text: 'A b'}, 'a ERR')", True),
        ("lines.js", "m.matches({level: 'error', source: 'f v3', text: 'A b'}, 'a zzz')", False),
        (
            "lines.js",
            "m.toLine({kind: 'update', time: 1, generation: 8, state: 'REVERTED', reason: 'r'}).text",
            "generation 8 reverted: r",
        ),
        ("fields.js", "[{lux: 1}, {lux: '1'}, {}, {lux: Infinity}].map(m.luxOf)", [1, None, None, None]),
        ("outcome.js", "m.failedRelease({desired: {functions: {}, models: {}}}, 'night-light')", None),
        ("outcome.js", "m.failedRelease({failed: [{kind: 'function', name: 'a', version: 0}]}, 'a')", None),
        (
            "outcome.js",
            "m.failedRelease({failed: [{kind: 'model', name: 'eye', version: 2, reason: 'r'}]}, null)",
            {"kind": "model", "name": "eye", "version": 2},
        ),
        (
            "outcome.js",
            "m.asked({desired: {functions: {a: {version: 1}}}, failed: [{kind: 'function', name: 'a', version: 2}]})",
            {"a": 2},
        ),
        ("outcome.js", "m.continued({generation: 3}, {continued: {3: 4, 4: 5}}).generation", 5),
        ("outcome.js", "m.continued({generation: 3, tone: 'bad'}, {continued: {}}).tone", "bad"),
    ],
)
def test_pure_helpers(module, file, expression, value):
    assert module(file, expression) == value


@pytest.mark.parametrize(
    ("pairs", "times"),
    [
        ([[1, 0], [2, 0], [3, 0]], [1, 2, 3]),
        ([[1, 0], [3, 0], [2, 0]], [1, 2, 3]),
        ([[100, 0], [101, 0], [5, 0]], [5]),
        ([[100, 0], [200, 0], [150, 0]], [100, 150]),
    ],
    ids=["in order", "a race", "clock set back", "clock set back a little"],
)
def test_a_history_stays_in_order(module, pairs, times):
    assert module("history.js", f"{HISTORY}(new m.History(10), {pairs}).times") == times


def test_a_history_stays_bounded_and_keeps_the_newest(module):
    kept = module(
        "history.js", f"{HISTORY}(new m.History(100), Array.from({{length: 10000}}, (_, i) => [i, i])).values"
    )
    assert 100 <= len(kept) <= 125
    assert kept[-1] == 9999


def history(pairs):
    return f"{HISTORY}(new (await import('/static/js/history.js')).History(100), {json.dumps(pairs)})"


def test_a_silence_is_a_gap_in_the_line(module):
    times, values = module("series.js", f"m.line({history([(1, 5.0), (2, 6.0), (12, 7.0)])}, 0)")
    assert times == [1, 2, 7, 12]
    assert values == [5, 6, None, 7]


def test_the_led_is_on_from_decision_to_decision_and_up_to_now(module):
    states = history([(1, False), (2, True), (4, False), (6, True)])
    assert module("series.js", f"m.bands({states}, 0, 9)") == [[2, 4], [6, 9]]


def test_a_led_that_was_on_before_the_window_is_on_at_its_start(module):
    assert module("series.js", f"m.bands({history([(1, True), (50, False)])}, 10, 60)") == [[10, 50]]


def outputs(*told):
    """An Outputs that was told these records and reports, in order; its state as JSON can say it."""
    steps = "".join(f"o.{kind}({json.dumps(value)});" for kind, value in told)
    state = "{held: o.held, histories: o.histories.map(([p, h]) => [p, h.times, h.values])}"
    return f"((o) => {{ {steps} return {state} }})(new m.Outputs())"


def said(level, at, before=None, pin="led", boot="1-a", **fields):
    told = {"kind": "output", "stream": "telemetry", "pin": pin, "function": "f", "level": level, "before": before}
    return "record", {**told, "changes": 1, "time": at, "boot": boot, **fields}


def report(**outputs):
    return "device", {
        "reported": {"outputs": {p: {"function": "f", "level": v, "since": t} for p, (v, t) in outputs.items()}}
    }


@pytest.mark.parametrize(
    ("told", "held", "history"),
    [
        ([("device", {"reported": None})], None, []),
        ([("device", {"reported": {}})], None, []),
        ([report()], [], []),
        ([report(led=(True, 5))], [["led", True, 5]], [["led", [5], [True]]]),
        ([said(True, 7, False)], [["led", True, 7]], [["led", [0, 7], [False, True]]]),
        ([report(led=(True, 5)), said(False, 7, True)], [["led", False, 7]], [["led", [5, 7], [True, False]]]),
        # The report of a moment ago comes after the record of now.
        ([said(False, 7, True), report(led=(True, 5))], [["led", False, 7]], [["led", [0, 7], [True, False]]]),
        # A clock that was set back: the report has the last word.
        ([said(False, 9000, True), report(led=(True, 5))], [["led", True, 5]], None),
        ([report(led=(True, 5)), said(None, 7, True), report()], [], [["led", [5, 7], [True, None]]]),
        (
            [said(True, 7), said(None, 9, None, boot="2-b")],
            [["led", None, 9]],
            [["led", [7, 7, 9], [True, None, None]]],
        ),
        ([report(led=("yes", 5)), said("on", 7)], [["led", None, 7]], [["led", [5, 7], [None, None]]]),
        ([said(True, 7, pin=3)], None, []),
        (
            [("record", {"kind": "decision", "stream": "telemetry", "pins": {"led": True}, "time": 1, "boot": "a"})],
            None,
            [],
        ),
    ],
    ids=[
        "nothing reported",
        "an old board",
        "no output",
        "reported",
        "a first record",
        "a change",
        "out of order",
        "clock set back",
        "let go",
        "another boot",
        "not a level",
        "not a pin",
        "a decision",
    ],
)
def test_an_output_is_what_the_board_says_and_nothing_else(module, told, held, history):
    found = module("outputs.js", outputs(*told))
    known = None if found["held"] is None else [[e["pin"], e["level"], e["since"]] for e in found["held"]]
    assert known == held
    if history is not None:
        assert found["histories"] == history


OUTCOME = "m.accepted(m.begun('packing'), 8, 'packed as v4')"


@pytest.mark.parametrize(
    ("updates", "tone", "last"),
    [
        ([(8, "FETCHING"), (8, "TRIAL"), (8, "COMMITTED")], "ok", "committed in 0.8 s"),
        ([(8, "TRIAL"), (8, "FETCHING")], "busy", "trial"),
        ([(7, "COMMITTED"), (7, "REVERTED")], "busy", "packed as v4"),
        ([(8, "REJECTED"), (8, "COMMITTED")], "bad", "rejected"),
        ([(9, "FETCHING"), (8, "COMMITTED")], "idle", "packed as v4"),
        ([(8, "toString"), (8, "__proto__")], "busy", "packed as v4"),
    ],
    ids=["committed", "out of order", "an older generation's", "rejected for good", "overtaken", "unknown states"],
)
def test_an_outcome_follows_what_the_device_says(module, updates, tone, last):
    told = OUTCOME
    for generation, state in updates:
        told = f"m.told({told}, {{generation: {generation}, state: '{state}'}}, '0.8 s')"
    outcome = module("outcome.js", told)
    assert (outcome["tone"], outcome["steps"][-1]) == (tone, last)


def test_a_device_that_restarted_in_its_trial_still_says_how_it_ended(module):
    device = "{reported: {generation: 7, update: {generation: 7, state: 'IDLE'}, failed: {8: 'crashed'}}}"
    updates = module("outcome.js", f"m.updatesOf({device})")
    assert {"generation": 8, "state": "REVERTED", "reason": "crashed"} in updates
    assert updates[-1] == {"generation": 7, "state": "COMMITTED"}
