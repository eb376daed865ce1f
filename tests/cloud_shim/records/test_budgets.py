"""Who may send how much, and who floods."""

import pytest

from cloud_shim.database import Database
from cloud_shim.records import budget
from cloud_shim.records.budget import BOARD, RATES, STRAY, Rate
from cloud_shim.records.budgets import Budgets, Message
from cloud_shim.records.excesses import Excesses


@pytest.fixture
def now():
    return [1000.0]


@pytest.fixture
def excesses(tmp_path, now):
    database = Database(f"sqlite:///{tmp_path}/shim.db")
    yield Excesses(database, lambda: now[0])
    database.close()


@pytest.fixture
def flooded():
    return []


@pytest.fixture
def budgets(excesses, flooded, now):
    return Budgets(excesses, flooded.append, lambda: now[0])


def of(device, kind="up/logs", payload=b"x"):
    return Message.of(f"lamplight/1/home/d/{device}/{kind}", payload, False)


def ask(client, user="_enrol"):
    return Message.of(f"lamplight/1/home/e/{user}/{client}/ask", b"x", False)


def test_a_device_beyond_its_budget_is_noted_and_one_far_beyond_it_floods(budgets, excesses, flooded, monkeypatch):
    monkeypatch.setitem(RATES, "up", Rate(8, 1000, 8))
    assert [budgets.take(of("tv")) for _ in range(10)] == [True] * 8 + [False] * 2
    assert (excesses.known()["tv", "sent"].number, flooded) == (2, [])
    assert not budgets.take(of("tv"))
    assert flooded == ["tv"]
    assert budgets.take(of("pi"))


@pytest.mark.parametrize("kind", sorted(RATES))
def test_each_kind_of_message_has_a_limit_beyond_which_it_is_a_flood(budgets, flooded, kind):
    leaf = {"up": "up/logs", "reply": "reply/lamp"}.get(kind, kind)
    most = RATES[kind].at_once + budget.overdraft(RATES[kind]).at_once
    for number in range(most):
        budgets.take(ask(f"c{number}", "tv") if kind == "ask" else of("tv", leaf, b""))
    assert flooded == []
    budgets.take(ask("another", "tv") if kind == "ask" else of("tv", leaf, b""))
    assert flooded == ["tv"]


def test_a_device_that_sends_evenly_within_its_budget_never_floods(budgets, flooded, now, monkeypatch):
    monkeypatch.setitem(RATES, "up", Rate(60, 6000, 60))
    for _ in range(600):
        assert budgets.take(of("pi", payload=b"x" * 100))
        now[0] += 1
    assert flooded == []


def test_of_a_state_the_newest_is_kept_for_later(budgets, now, monkeypatch):
    monkeypatch.setitem(RATES, "reported", Rate(1, 1000, 1))
    assert budgets.take(of("pi", "reported"))
    late = [of("pi", "reported", str(number).encode()) for number in range(3)]
    assert not any(budgets.take(each) for each in late)
    assert budgets.due() == []
    now[0] += 60
    assert budgets.due() == [late[-1]]


def test_a_state_put_off_does_not_come_after_a_newer_one(budgets, now, monkeypatch):
    monkeypatch.setitem(RATES, "presence", Rate(1, 1000, 1))
    budgets.take(of("pi", "presence", b"1"))
    budgets.take(of("pi", "presence", b"2"))
    now[0] += 60
    assert budgets.take(of("pi", "presence", b"3"))
    now[0] += 60
    assert budgets.due() == []


def test_a_flood_of_records_leaves_the_devices_own_reports_alone(budgets, now, monkeypatch):
    monkeypatch.setitem(RATES, "up", Rate(1, 1000, 1))
    assert [budgets.take(of("pi")) for _ in range(20)] == [True] + [False] * 19
    assert budgets.take(of("pi", "presence"))
    now[0] += 60
    # A batch put off comes again: it was not acknowledged.
    assert budgets.take(of("pi"))


def test_one_board_that_asks_without_end_leaves_the_others_their_turn(budgets, flooded):
    taken = [budgets.take(ask("loud")) for _ in range(300)]
    assert taken.count(True) == BOARD.messages
    assert all(budgets.take(ask(f"quiet{number}")) for number in range(64))
    assert flooded == []


def test_asking_under_ever_new_client_ids_has_a_limit_and_takes_no_memory(budgets, flooded, now, monkeypatch):
    monkeypatch.setattr("cloud_shim.records.budgets._MANY", 500)
    for turn in range(4):
        taken = [budgets.take(ask(f"c{turn}-{number}")) for number in range(400)]
        now[0] += 60
        assert all(taken)
    assert len(budgets._left) < 1000
    for number in range(3000):
        budgets.take(ask(f"d{number}"))
    assert flooded[0] == "_enrol"


@pytest.mark.parametrize("kind", ["retained", "foreign"])
def test_messages_without_need_are_noted_and_a_flood_beyond_a_hundred(budgets, excesses, flooded, kind):
    for _ in range(STRAY.messages):
        budgets.stray("tv", kind, 10)
    assert (excesses.known()["tv", kind].bytes, flooded) == (1000, [])
    budgets.stray("tv", kind, 1)
    assert flooded == ["tv"]
    budgets.stray("pi", kind, STRAY.bytes + 1)
    assert flooded == ["tv", "pi"]
