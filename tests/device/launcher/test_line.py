"""What launcher and agent say to each other: whole lines, whatever their length, and nothing from nonsense."""

import socket
import threading

import pytest

from device.errors import LamplightError
from device.launcher import ledger, line
from device.launcher.ledger import MAX_FAILED, Ledger, Trial
from device.launcher.line import Line, Told
from device.protocol.errors import ProtocolError

A, B = "aa" * 32, "bb" * 32


def test_the_agent_hears_what_the_launcher_knows() -> None:
    now = ledger.ask(ledger.revert(ledger.ask(Ledger(), A, {"generation": 1}), "it hangs"), B, {"generation": 2})
    told = line.read(line.encode(line.told(now, B)))
    assert (told.running, told.trial, told.note, told.fallback) == (B, True, {"generation": 2}, "")
    assert told.failed[A] == ("it hangs", {"generation": 1})


def test_a_version_that_is_to_come_is_no_trial_of_the_one_that_runs() -> None:
    told = line.read(line.encode(line.told(Ledger(trial=Trial(B, 3, {"generation": 2})), "")))
    assert (told.trial, told.note, told.next) == (False, {}, B)


def test_what_a_later_launcher_says_as_well_is_passed_over() -> None:
    assert line.read(line.encode({**line.told(Ledger(), ""), "later": 1, "format": 9})) == Told(fallback=None)


@pytest.mark.parametrize("said", [b"", b"{", b"[]", b"7", b"\xff\xfe", b"{}", b'{"running": 7}', b"[" * 9999])
def test_nonsense_is_refused(said: bytes) -> None:
    with pytest.raises(ProtocolError):
        line.read(said)


def test_lines_are_cut_where_they_end_and_an_endless_one_is_dropped() -> None:
    buffer = bytearray(b"one\ntwo\nthr")
    assert list(line.split(buffer)) == [b"one", b"two"]
    buffer += b"ee\n" + bytes(line.MAX_LINE + 1)
    assert list(line.split(buffer)) == [b"three"]
    assert buffer == b""


def test_as_much_as_a_ledger_can_hold_is_heard_whole() -> None:
    now = Ledger()
    for number in range(MAX_FAILED):
        now = ledger.revert(ledger.ask(now, f"{number:064x}", {"long": "x" * line.MAX_LINE}), "no")
    ours, theirs = socket.socketpair()
    threading.Thread(target=ours.sendall, args=(line.encode(line.told(now, A)),), daemon=True).start()
    assert len(Line(theirs).told.failed) == MAX_FAILED


def test_without_a_launcher_nothing_is_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in ("", "seven", "-1", "99999"):
        monkeypatch.setenv(line.VARIABLE, number)
        alone = line.from_environment()
        assert alone.told == Told()
        with pytest.raises(LamplightError, match="not started by the launcher"):
            alone.ask(A, {})


def test_an_old_refusal_is_not_taken_for_the_answer_to_another_question() -> None:
    ours, theirs = socket.socketpair()
    ours.sendall(line.encode(line.told(Ledger(), "", "the disk is full")))
    agent = Line(theirs)
    agent.listen(lambda: None, lambda: None)

    def grant() -> None:
        ours.recv(line.MAX_LINE)
        ours.sendall(line.encode(line.told(ledger.ask(Ledger(), A, {}), "")))

    threading.Thread(target=grant, daemon=True).start()
    agent.ask(A, {})
    assert agent.told.next == A


def test_the_end_of_the_line_is_the_launchers_death() -> None:
    ours, theirs = socket.socketpair()
    ours.sendall(line.encode(line.told(Ledger(), "")))
    orphaned = threading.Event()
    Line(theirs).listen(lambda: None, orphaned.set)
    ours.close()
    assert orphaned.wait(60)
