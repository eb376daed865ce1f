"""What a function keeps: one transaction an event, durable, bounded, its own."""

import os
import signal
import sqlite3

import pytest
from runtime_bench import Bench, until

from device.errors import LamplightError
from device.runtime.state_files import INDEX
from device.runtime.worker.reads import forget
from device.runtime.worker.state import State

COUNTER = """
    import os, time
    def handler(event, context):
        state = context.state
        state["count"] = state.get("count", 0) + 1
        do = event.data or ""
        if do == "raise":
            raise ValueError("no")
        if do == "exit":
            os._exit(3)
        if do == "sleep":
            time.sleep(60)
        return state["count"]
"""


def call(bench, body, toml="", data=None, name="f", version=1):
    code = f"import threading\ndef handler(event, context):\n    state = context.state\n    {body}\n"
    bench.run(bench.function(code, name, version, toml=toml))
    return bench.supervisor.call(name, data)


def test_it_is_a_mapping_of_what_json_can_say(bench):
    body = (
        "state['b'] = {'x': [1, None, True, 'é']}; state['a'] = 1.5; state['gone'] = 0; del state['gone']; "
        "return [[*state], len(state), state['b'], state.pop('a'), 'a' in state, state.get('a', 'none'), dict(state)]"
    )
    value = {"x": [1, None, True, "é"]}
    assert call(bench, body) == [["a", "b"], 2, value, 1.5, False, "none", {"b": value}]


def test_it_survives_events_a_restart_of_the_worker_and_one_of_the_agent(bench, tmp_path):
    bench.run(bench.function(COUNTER))
    assert [bench.supervisor.call("f", None) for _ in range(3)] == [1, 2, 3]
    until(lambda: bench.supervisor.health()["f"].state == "running")
    os.kill(bench.worker("f"), signal.SIGKILL)
    bench.records.wait("worker", count=2, function="f", what="started")
    until(lambda: bench.health().state == "running")
    assert bench.supervisor.call("f", None) == 4
    bench.supervisor.close()
    again = Bench(tmp_path)
    try:
        again.run(again.function(COUNTER))
        assert again.supervisor.call("f", None) == 5
    finally:
        again.supervisor.close()


@pytest.mark.parametrize("how", ["raise", "exit", "sleep"])
def test_what_an_event_changed_is_dropped_when_it_fails(bench, how):
    bench.run(bench.function(COUNTER, toml='timeout = "300ms"'))
    assert bench.supervisor.call("f", None) == 1
    with pytest.raises(LamplightError):
        bench.supervisor.call("f", how)
    until(lambda: bench.health().state == "running")
    assert bench.supervisor.call("f", None) == 2


def test_another_release_of_the_function_finds_it_and_another_function_does_not(bench):
    bench.run(bench.function(COUNTER))
    assert bench.supervisor.call("f", None) == 1
    bench.run(bench.function(COUNTER, version=2), bench.function(COUNTER, name="g"))
    assert bench.supervisor.call("f", None) == 2
    assert bench.supervisor.call("g", None) == 1


def test_it_is_bounded_and_says_so_and_the_event_is_dropped_as_a_whole(bench):
    toml = '[state]\nsize = "1M"'
    fill = "state['small'] = 1\n    state['big'] = 'x' * (2 << 20)"
    with pytest.raises(LamplightError, match=r'(?s)state is full.*\[state\] size = "4M"'):
        call(bench, fill, toml)
    assert call(bench, "return dict(state)", toml, version=2) == {}


def test_a_handler_that_ignores_a_full_state_keeps_no_half_of_an_event(bench):
    body = (
        "state['first'] = 1\n    try: state['big'] = 'x' * (2 << 20)\n    except Exception: pass\n"
        "    state['second'] = 2\n    return sorted(state)"
    )
    toml = '[state]\nsize = "1M"'
    bench.run(bench.function(f"def handler(event, context):\n    state = context.state\n    {body}\n", toml=toml))
    try:
        outcome = bench.supervisor.call("f", None)
    except LamplightError as error:
        assert "are dropped" in str(error)
        outcome = []
    assert call(bench, "return sorted(state)", toml, version=2) == outcome


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("state[1] = 1", "is no key"),
        ("state[''] = 1", "is no key"),
        ("state['x' * 257] = 1", "is no key"),
        ("state['a'] = {1j}", "cannot be set"),
        ("state['a'] = float('nan')", "cannot be set"),
        ("state['missing']", "KeyError"),
        ("del state['missing']", "KeyError"),
    ],
)
def test_what_cannot_be_kept_says_so(bench, statement, says):
    with pytest.raises(LamplightError, match=says):
        call(bench, statement)


def test_outside_of_an_event_it_says_when_it_is_there(tmp_path):
    state = State(tmp_path / "1", 1 << 20, forget)
    with state:
        state["a"] = 1
    with pytest.raises(LamplightError, match="while an event is handled"):
        state["a"] = 2
    with state:
        assert dict(state) == {"a": 1}


def test_a_thread_that_the_function_left_behind_changes_nothing(bench):
    body = (
        "errors = []\n    state['a'] = 1\n    def change():\n        try: state['a'] = 2\n"
        "        except Exception as error: errors.append(str(error))\n"
        "    thread = threading.Thread(target=change); thread.start(); thread.join()\n    return [state['a'], errors]"
    )
    value, errors = call(bench, body)
    assert value == 1 and "thread" in errors[0]


def test_a_damaged_file_is_put_aside_and_the_function_goes_on(bench):
    bench.run(bench.function(COUNTER))
    bench.supervisor.call("f", None)
    bench.supervisor.switch(bench.generation())
    file = bench.folder / "states" / "f" / "1" / "state.db"
    file.write_bytes(b"rot" * 1000)
    bench.run(bench.function(COUNTER))
    assert bench.supervisor.call("f", None) == 1
    assert (file.parent / "damaged-state.db").read_bytes() == b"rot" * 1000
    bench.records.wait("log", function="f")
    assert any("begins anew" in text for text in bench.records.texts("f"))


def test_what_was_kept_is_one_file_after_an_orderly_end(bench):
    bench.run(bench.function(COUNTER))
    bench.supervisor.call("f", None)
    bench.supervisor.switch(bench.generation())
    folder = bench.folder / "states" / "f" / "1"
    assert [path.name for path in folder.iterdir() if path.stat().st_size and path.name != INDEX] == ["state.db"]
    with sqlite3.connect(folder / "state.db") as database:
        assert database.execute("SELECT * FROM state").fetchall() == [("count", "1")]


def test_setting_the_same_value_again_writes_nothing(tmp_path):
    state = State(tmp_path / "1", 1 << 20, forget)
    with state:
        state["a"] = {"x": 1}
    log = tmp_path / "1" / "state.db-wal"
    size = log.stat().st_size
    for _ in range(10):
        with state:
            state["a"] = {"x": 1}
    assert log.stat().st_size == size
    state.close()


def test_a_function_that_keeps_nothing_has_no_file(bench):
    assert call(bench, "return 1") == 1
    files = (bench.folder / "states" / "f").rglob("*")
    assert sum(file.stat().st_size for file in files if file.is_file()) == 0


def test_the_state_of_a_function_that_is_no_longer_installed_goes(bench):
    bench.run(bench.function(COUNTER), bench.function(COUNTER, name="g"))
    for name in "fg":
        bench.supervisor.call(name, None)
    bench.run(bench.function(COUNTER))
    bench.supervisor.keep({"f", "g"})  # a generation that the board can go back to has it
    assert {path.name for path in (bench.folder / "states").iterdir()} == {"f", "g"}
    bench.supervisor.keep({"f"})
    assert {path.name for path in (bench.folder / "states").iterdir()} == {"f"}
    assert bench.supervisor.call("f", None) == 2
