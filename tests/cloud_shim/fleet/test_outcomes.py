"""What a failure does to what a device is asked for: the shim's real parts, with a broker that is away."""

import sqlite3

import pytest

from cloud_shim.fleet.deployments import Trial
from cloud_shim.records.budgets import Message
from cloud_shim.shim import Shim
from cloud_shim.tables import DeploymentRow
from device.errors import NotFoundError, RejectedError
from device.protocol import topics
from device.protocol.messages import Batch, encode
from tests import samples


class Pi:
    """The device "pi": what it is asked for, and what it says."""

    def __init__(self, shim, make_function) -> None:
        self.shim = shim
        self._make = make_function
        self._seq = 0

    def deploy(self, name, code="", settings=None, retry=False):
        release = self.shim.registry.add(self._make(name, code=code, pins=""))
        return self.shim.fleet.deploy("pi", release, settings, Trial(), retry)

    def says(self, generation, state, running, reason="it is broken", part="", **more):
        told = samples.report(generation=running, failed={}, evidence={}, **more)
        update = {**told["update"], "generation": generation, "state": state, "reason": reason, "part": part}
        topic = topics.of_device("home", "pi", "reported")
        self.shim.ingest.receive(Message.of(topic, encode({**told, "update": update}), False))

    def records(self, generation, state, **more):
        self._seq += 1
        record = {"kind": "update", "generation": generation, "state": state, "reason": "it is broken", **more}
        batch = Batch("1-0123abcd", [{"seq": self._seq, "time": 1.0, **record}])
        self.shim.ingest.receive(Message.of(topics.up("home", "pi", "events"), batch.encode(), False))

    def runs(self, generation):
        self.says(generation, "COMMITTED", generation, "")

    @property
    def view(self):
        return self.shim.fleet.view("pi", None)

    @property
    def asked(self):
        return {name: each["version"] for name, each in self.view["desired"]["functions"].items()}

    @property
    def generation(self):
        return self.view["desired"]["generation"]

    @property
    def failed(self):
        return [(each["name"], each["version"], each["state"]) for each in self.view["failed"]]


@pytest.fixture
def pi(shim, make_function):
    shim.members.provision("pi", "lamplight/simulated", None)
    yield Pi(shim, make_function)
    shim.database.close()


@pytest.mark.parametrize("state", ["REJECTED", "REVERTED"])
@pytest.mark.parametrize("way", ["says", "records"])
def test_a_broken_function_is_asked_for_no_more_and_the_next_deployment_is_without_it(pi, state, way):
    broken = pi.deploy("a")
    if way == "says":
        pi.says(broken, state, 0)
    else:
        pi.records(broken, state)
    assert (pi.asked, pi.generation) == ({}, broken + 1)
    assert pi.failed == [("a", 1, state)]
    assert pi.view["failed"][0]["reason"] == "it is broken"
    pi.deploy("b")
    assert pi.asked == {"b": 1}


def test_a_failed_change_leaves_the_version_that_ran(pi):
    pi.runs(pi.deploy("a"))
    pi.says(pi.deploy("a", "# 2"), "REVERTED", 1)
    assert pi.asked == {"a": 1}
    assert pi.failed == [("a", 2, "REVERTED")]


def test_what_is_told_twice_or_late_counts_once(pi):
    broken = pi.deploy("a")
    for _ in range(2):
        pi.records(broken, "REJECTED")
        pi.says(broken, "REJECTED", 0)
    pi.runs(broken + 1)
    pi.says(broken, "REVERTED", 0)
    assert pi.generation == broken + 1


def test_the_generation_that_is_told_of_in_the_same_message_is_what_it_goes_back_to(pi):
    first = pi.deploy("a")
    pi.says(pi.deploy("a", "# 2"), "REVERTED", first)
    assert pi.asked == {"a": 1}


def test_of_two_changes_in_one_generation_the_good_one_goes_on(pi):
    pi.runs(pi.deploy("a"))
    pi.deploy("a", "# broken")
    both = pi.deploy("b")
    pi.says(both, "REJECTED", 1, part="functions/a")
    assert pi.asked == {"a": 1, "b": 1}
    assert pi.view["continued"] == {str(both): both + 1}
    assert pi.failed == [("a", 2, "REJECTED")]


def test_of_two_changes_the_last_may_be_the_bad_one(pi):
    pi.deploy("a")
    both = pi.deploy("b")
    pi.says(both, "REJECTED", 0, part="functions/b")
    assert pi.asked == {"a": 1}
    assert pi.view["continued"] == {}
    assert pi.failed == [("b", 1, "REJECTED")]


def test_what_one_failed_with_is_taken_out_of_the_next_that_is_under_way(pi):
    broken = pi.deploy("a")
    after = pi.deploy("b")
    pi.says(broken, "REVERTED", 0)
    assert pi.asked == {"b": 1}
    assert pi.view["continued"] == {str(after): after + 1}


def test_each_of_three_changes_is_followed_to_its_end(pi):
    pi.deploy("a")
    pi.deploy("b")
    last = pi.deploy("c")
    pi.says(last, "REJECTED", 0, part="functions/a")
    pi.says(last + 1, "REJECTED", 0, part="functions/b")
    assert pi.asked == {"c": 1}
    assert pi.view["continued"] == {str(last): last + 1, str(last + 1): last + 2}
    pi.says(last + 2, "REJECTED", 0, part="functions/c")
    assert pi.asked == {}
    assert [name for name, *_ in pi.failed] == ["a", "b", "c"]


def test_a_failure_that_was_corrected_before_it_was_heard_of_changes_nothing(pi):
    broken = pi.deploy("a")
    corrected = pi.deploy("a", "# corrected")
    pi.says(broken, "REVERTED", 0)
    assert (pi.asked, pi.generation, pi.failed) == ({"a": 2}, corrected, [])


def test_late_news_of_what_was_replaced_by_what_runs_changes_nothing(pi):
    broken = pi.deploy("a")
    good = pi.deploy("a", "# good")
    pi.runs(good)
    pi.records(broken, "REVERTED")
    assert (pi.asked, pi.generation, pi.failed) == ({"a": 2}, good, [])


def test_a_device_that_refuses_what_it_runs_is_asked_no_further(pi):
    pi.runs(pi.deploy("a"))
    generation = pi.deploy("a", "# 2")
    for each in range(6):
        pi.says(generation + each, "REJECTED", 1)
    assert (pi.asked, pi.generation) == ({"a": 1}, generation + 1)


@pytest.mark.parametrize("part", ["functions/nobody", "models/x", "functions/" + "x" * 500, "agents/lamplight"])
def test_whatever_a_device_blames_it_ends_at_what_runs(pi, part):
    pi.runs(pi.deploy("a"))
    pi.says(pi.deploy("b"), "REJECTED", 1, reason="x" * 100_000, part=part)
    assert pi.asked == {"a": 1}
    assert len(pi.view["failed"][0]["reason"]) == 2000


@pytest.mark.parametrize("generation", [0, 99, 2**53])
def test_a_device_that_speaks_of_no_generation_changes_nothing(pi, generation):
    asked = pi.deploy("a")
    pi.says(generation, "REVERTED", generation)
    assert pi.generation == asked


def test_a_retry_asks_for_the_same_again_with_its_settings(pi):
    pi.runs(pi.deploy("a"))
    pi.says(pi.deploy("a", "# 2", {"threshold": 7}), "REVERTED", 1)
    again = pi.deploy("a", "# 2", retry=True)
    asked = pi.shim.fleet.deployment("pi")
    assert (asked.attempt, asked.config["a"], pi.failed) == (again, {"threshold": 7}, [])


def test_settings_that_failed_are_not_kept_for_what_comes_next(pi):
    pi.runs(pi.deploy("a", settings={"threshold": 5}))
    pi.says(pi.deploy("a", settings={"threshold": 7}), "REVERTED", 1)
    assert pi.failed == [("a", 1, "REVERTED")]
    pi.deploy("a", "# 2")
    assert pi.shim.fleet.deployment("pi").config["a"] == {"threshold": 5}


def test_a_rollback_after_a_failure_undoes_that_and_the_next_one_what_was_before(pi):
    pi.runs(pi.deploy("a"))
    pi.runs(pi.deploy("a", "# 2"))
    pi.says(pi.deploy("a", "# 3"), "REVERTED", 2)
    pi.runs(pi.generation)
    first = pi.shim.fleet.rollback("pi")
    assert (pi.asked, pi.failed) == ({"a": 2}, [])
    pi.runs(first)
    pi.shim.fleet.rollback("pi")
    assert pi.asked == {"a": 1}


def test_a_removal_forgets_what_failed_and_does_not_run(pi):
    pi.says(pi.deploy("a"), "REJECTED", 0)
    generation = pi.generation
    assert pi.shim.fleet.remove("pi", "function", "a") == generation
    assert pi.failed == []
    with pytest.raises(NotFoundError, match="no function 'a'"):
        pi.shim.fleet.remove("pi", "function", "a")


def test_a_removal_takes_away_what_runs_though_its_next_version_failed(pi):
    pi.runs(pi.deploy("a"))
    pi.says(pi.deploy("a", "# 2"), "REJECTED", 1)
    pi.shim.fleet.remove("pi", "function", "a")
    assert (pi.asked, pi.failed) == ({}, [])


def test_what_was_refused_and_runs_after_all_is_no_failure(pi):
    full = pi.deploy("a")
    pi.says(full, "REJECTED", 0, reason="no room")
    pi.runs(full)
    assert pi.failed == []


def test_the_source_that_failed_is_what_an_editor_gets(pi):
    pi.runs(pi.deploy("a"))
    pi.says(pi.deploy("a", "# 2"), "REJECTED", 1)
    assert pi.shim.fleet.asked("pi", "a").version == 2
    assert pi.shim.fleet.function("pi", "a").version == 1
    with pytest.raises(NotFoundError):
        pi.shim.fleet.asked("pi", "b")


def test_a_revoked_device_is_asked_for_nothing_new(pi):
    pi.deploy("a")
    pi.shim.members.revoke("pi")
    with pytest.raises(RejectedError, match="revoked"):
        pi.shim.fleet.rollback("pi")


def test_a_database_from_before_is_healed_at_the_start(pi):
    """The present deployment failed under a shim that left it there, in tables without what came since."""
    pi.runs(pi.deploy("a"))
    broken = pi.deploy("a", "# 2")
    pi.says(broken, "FETCHING", 1)
    with pi.shim.database.write() as session:
        session.get_one(DeploymentRow, ("pi", broken)).outcome = "REVERTED"
    config = pi.shim.config
    pi.shim.database.close()
    with sqlite3.connect(config.state / "shim.db") as connection:
        for table in ("failures", "successions"):
            connection.execute(f"DROP TABLE {table}")
    again = Shim(config)
    try:
        with again.database.write() as session:
            assert again._outcomes.heal(session) == ["pi"]
            assert again._outcomes.heal(session) == []
        assert again.fleet.deployment("pi").functions["a"].version == 1
        assert again.fleet.view("pi", None)["failed"][0]["version"] == 2
    finally:
        again.database.close()
