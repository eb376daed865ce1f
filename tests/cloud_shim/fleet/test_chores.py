"""Work in the background, again and again."""

from cloud_shim.fleet.chores import Chore, Chores


def test_a_chore_that_fails_comes_again_and_holds_nobody_up(until, caplog):
    failing, other = [], []

    def fail():
        failing.append(1)
        raise OSError("the disk is full")

    chores = Chores([Chore(0.01, fail), Chore(0.02, lambda: other.append(1))])
    chores.start()
    until(lambda: len(failing) > 2 and len(other) > 2, "three rounds of each")
    chores.close()
    assert "the disk is full" in caplog.text
    done = len(failing), len(other)
    assert (len(failing), len(other)) == done


def test_closing_what_was_never_started_returns():
    Chores([Chore(1.0, lambda: None)]).close()
