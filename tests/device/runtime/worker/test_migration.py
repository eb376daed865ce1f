"""A function's state goes from schema to schema, and back as it was."""

import pytest
from runtime_bench import until

from device.errors import LamplightError, RejectedError

OLD = """
    def handler(event, context):
        context.state["count"] = context.state.get("count", 0) + 1
        return dict(context.state)
"""
NEW = """
    def migrate(state, schema):
        state["total"] = [state.pop("count", 0), schema]
        if {fail}:
            raise ValueError("cannot")

    def handler(event, context):
        context.state["new"] = context.state.get("new", 0) + 1
        return dict(context.state)
"""
TOML = '[state]\nschema = 2\nmigrate = "main:migrate"'


def old(bench):
    return bench.function(OLD)


def new(bench, fail=False, toml=TOML):
    return bench.function(NEW.replace("{fail}", str(fail)), version=2, toml=toml)


def call(bench, function):
    bench.run(function)
    return bench.supervisor.call("f", None)


def test_it_is_migrated_once_before_the_first_event(bench):
    call(bench, old(bench))
    call(bench, old(bench))
    assert call(bench, new(bench)) == {"total": [2, 1], "new": 1}
    assert bench.supervisor.call("f", None) == {"total": [2, 1], "new": 2}


def test_a_revert_gets_the_old_one_back(bench):
    call(bench, old(bench))
    call(bench, new(bench))
    bench.supervisor.resume(bench.generation(old(bench)))
    until(lambda: bench.health().state == "running")
    assert bench.supervisor.call("f", None) == {"count": 2}


def test_a_second_try_migrates_what_there_is_by_then_and_not_what_the_first_left(bench):
    call(bench, old(bench))
    call(bench, new(bench))
    call(bench, old(bench))
    assert call(bench, new(bench)) == {"total": [2, 1], "new": 1}


def test_a_restart_after_the_migration_does_not_migrate_again(bench):
    call(bench, old(bench))
    call(bench, new(bench))
    bench.supervisor.switch(bench.generation())
    bench.supervisor.resume(bench.generation(new(bench)))
    until(lambda: bench.health().state == "running")
    assert bench.supervisor.call("f", None) == {"total": [1, 1], "new": 2}


def test_a_migration_that_fails_keeps_the_function_from_starting_and_leaves_everything(bench):
    call(bench, old(bench))
    bench.supervisor.switch(bench.generation(new(bench, fail=True)))
    until(lambda: "cannot" in bench.health().last_error)
    assert bench.health().state != "running"
    assert call(bench, old(bench)) == {"count": 2}


def test_without_a_migration_a_new_schema_begins_empty_and_the_old_one_stays(bench):
    call(bench, old(bench))
    assert call(bench, new(bench, toml="[state]\nschema = 2")) == {"new": 1}
    assert call(bench, old(bench)) == {"count": 2}


def test_a_migration_that_is_not_there_says_so(bench):
    call(bench, old(bench))
    function = bench.function(OLD, version=2, toml='[state]\nschema = 2\nmigrate = "main:nowhere"')
    try:
        bench.supervisor.switch(bench.generation(function))
        until(lambda: "nowhere" in bench.health().last_error)
    except RejectedError as error:
        assert "nowhere" in str(error)


def test_a_migration_killed_midway_leaves_the_old_state_and_is_done_again(bench):
    call(bench, old(bench))
    code = NEW.replace("{fail}", "__import__('os')._exit(9)")
    bench.supervisor.switch(bench.generation(bench.function(code, version=2, toml=TOML)))
    until(lambda: bench.health().crashes >= 2)
    assert call(bench, new(bench)) == {"total": [1, 1], "new": 1}


def test_a_migration_may_not_touch_the_state_after_it(bench):
    code = NEW.replace("{fail}", "False") + "    kept = []\n"
    code = code.replace('state["total"]', 'kept.append(state); state["total"]').replace(
        'context.state["new"] =', 'kept[0]["sneaky"] = 1; context.state["new"] ='
    )
    call(bench, old(bench))
    with pytest.raises(LamplightError, match="while an event is handled"):
        call(bench, bench.function(code, version=2, toml=TOML))
