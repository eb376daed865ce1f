"""The agent's side: a namespace it can use, or the reason why there is none."""

import os
import socket
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from device.users import asking
from device.users.helper import FIRST_USER
from tests.device.users.serving import SERVICE_USER, STRANGER, as_user, ask, maps, served

pytestmark = pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="the helper is root's")


@contextmanager
def one_that_says(folder: Path, answer: bytes) -> Generator[Path]:
    """A program in the helper's place that gives this answer, and does nothing."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "s"))
        listening.listen()

        def serve() -> None:
            peer, _ = listening.accept()
            with peer:
                peer.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield folder / "s"
        thread.join()


def test_joined_a_process_is_root_of_the_namespace_and_stays_itself_outside() -> None:
    def look(path: Path) -> object:
        namespace = asking.namespace(path)
        before = os.getuid()
        asking.join(namespace)
        # Its answer tells whom the kernel sees outside.
        answer = ask(path)
        made = path.parent / "made"
        os.chown(made, FIRST_USER + 5, FIRST_USER + 6)
        return [before, os.getuid(), os.get_inheritable(namespace), "without users" in answer]

    with served() as at:
        made = at.path.parent / "made"
        made.touch()
        os.chown(made, SERVICE_USER, SERVICE_USER)
        assert as_user(lambda: look(at.path)) == [SERVICE_USER, 0, False, True]
        assert (made.stat().st_uid, made.stat().st_gid) == (FIRST_USER + 5, FIRST_USER + 6)


def test_the_asking_process_stays_where_it_was() -> None:
    def look(path: Path) -> object:
        before = maps()
        os.close(asking.namespace(path))
        return maps() == before

    with served() as at:
        assert as_user(lambda: look(at.path)) is True


def test_a_refusal_says_why() -> None:
    with served(mode=0o666) as at:
        assert "serves daemon only" in as_user(lambda: asking.namespace(at.path), STRANGER)


def test_where_there_is_no_helper_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        asking.namespace(tmp_path / "none")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "gave no answer"),
        (b"given\n", "gave other users"),
        (b"refused: because\n", "refused: because"),
        (b"\xff" * 100_000, "\ufffd"),
    ],
)
def test_an_answer_is_believed_only_with_what_it_says(tmp_path: Path, answer: bytes, why: str) -> None:
    with one_that_says(tmp_path, answer) as path, pytest.raises(OSError, match=why):
        asking.namespace(path)
