"""The helper gives the service's own new namespace the users of functions, and nobody anything else."""

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from device.private_memory import keep_memory_private
from device.sandbox import kernel
from device.users import helper
from device.users.helper import FIRST_USER, USERS, RefusedError
from tests.device.users.serving import (
    SERVICE_USER,
    STRANGER,
    Served,
    as_user,
    ask,
    enter,
    maps,
    run,
    served,
)

needs_root = pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="the helper is root's")

GIVEN = [[0, SERVICE_USER, 1], [FIRST_USER, FIRST_USER, USERS]]
# <linux/prctl.h>, <linux/securebits.h>
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2
EMPTY: list[list[list[int]]] = [[], []]


@pytest.fixture
def at() -> Generator[Served]:
    # Open to all, so that the helper's own checks are what is tried.
    with served(mode=0o666) as found:
        yield found


@contextlib.contextmanager
def beside(user: int) -> Generator[int]:
    """A process of this user in a new namespace without users; its number."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
            enter()
            os.write(write, b"!")
            signal.pause()
        finally:
            os._exit(1)
    try:
        os.close(write)
        assert os.read(read, 1) == b"!"
        os.close(read)
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@needs_root
def test_the_services_new_namespace_has_its_functions_users_and_nobody_else(at: Served) -> None:
    def look() -> object:
        enter()
        return [ask(at.path), maps(), os.getuid()]

    assert as_user(look) == ["given", [GIVEN, GIVEN], 0]
    assert at.ends == [(0, "")]


@needs_root
def test_the_groups_of_devices_are_kept_and_roots_is_not(at: Served) -> None:
    def look() -> object:
        enter()
        return [ask(at.path), maps()[1]]

    assert as_user(look, groups=(20, 0, SERVICE_USER, 5)) == ["given", [*GIVEN, [5, 5, 1], [20, 20, 1]]]


@needs_root
def test_in_it_one_becomes_a_function_and_neither_root_nor_anybody_else(at: Served) -> None:
    def look() -> object:
        enter()
        ask(at.path)
        return [becomes(user) for user in (STRANGER, SERVICE_USER, 1000, FIRST_USER - 1, FIRST_USER + USERS)] + [
            readable("/etc/shadow"),
            becomes(FIRST_USER + USERS - 1),
        ]

    assert as_user(look) == [False] * 6 + [True]


def becomes(user: int) -> bool:
    try:
        os.setresuid(user, user, user)
    except OSError:
        return False
    return True


def readable(path: str) -> bool:
    try:
        Path(path).read_bytes()
    except OSError:
        return False
    return True


@needs_root
def test_another_user_gets_nothing(at: Served) -> None:
    def look() -> object:
        enter()
        return [ask(at.path), maps()]

    assert as_user(look, STRANGER) == ["refused: it serves daemon only", EMPTY]
    assert as_user(look, FIRST_USER + 1) == ["refused: it serves daemon only", EMPTY]


@needs_root
def test_root_gets_nothing_either(at: Served) -> None:
    def look() -> object:
        enter()
        return [ask(at.path), maps()]

    assert as_user(look, 0) == ["refused: it serves daemon only", EMPTY]


@needs_root
@pytest.mark.parametrize("owner", [SERVICE_USER, STRANGER])
def test_a_message_that_names_another_process_is_not_read(at: Served, owner: int) -> None:
    with beside(owner) as victim:
        message = f'{victim}\n{{"pid": {victim}, "uid_map": "0 0 4294967295"}}'.encode()
        # The answer to a client with unread words may be lost: the connection is reset.
        assert as_user(lambda: ask(at.path, message)) != "given"

        def look() -> object:
            enter()
            ask(at.path, message)
            return maps()

        assert as_user(look) == [GIVEN, GIVEN]
        assert maps(victim) == EMPTY


@needs_root
def test_a_namespace_is_filled_once(at: Served) -> None:
    def look() -> object:
        enter()
        return [ask(at.path), ask(at.path), maps()]

    assert as_user(look) == ["given", "refused: that process is not in a user namespace without users", [GIVEN, GIVEN]]


@needs_root
def test_a_namespace_that_has_a_map_of_its_own_stays_as_it_is(at: Served) -> None:
    def look() -> object:
        enter()
        Path("/proc/self/uid_map").write_text(f"7 {SERVICE_USER} 1")
        return [ask(at.path).split(":")[0], maps()]

    assert as_user(look) == ["refused", [[[7, SERVICE_USER, 1]], []]]


@needs_root
def test_a_process_in_no_namespace_of_its_own_gets_nothing(at: Served) -> None:
    before = maps()

    def look() -> object:
        enter(0)
        return [ask(at.path), maps()]

    assert as_user(look) == ["refused: that process is not in a user namespace without users", before]


@needs_root
def test_a_namespace_inside_a_namespace_gets_nothing(at: Served) -> None:
    def look() -> object:
        enter()
        ask(at.path)
        enter()
        return [ask(at.path).split(":")[0], maps()]

    assert as_user(look) == ["refused", EMPTY]


@needs_root
def test_a_function_in_the_namespace_gets_nothing_more(at: Served) -> None:
    def look() -> object:
        enter()
        ask(at.path)
        os.setresgid(FIRST_USER, FIRST_USER, FIRST_USER)
        os.setresuid(FIRST_USER, FIRST_USER, FIRST_USER)
        enter()
        return [ask(at.path), maps()]

    assert as_user(look) == ["refused: it serves daemon only", EMPTY]


@needs_root
def test_a_process_that_is_partly_somebody_else_gets_nothing(at: Served) -> None:
    """Connected as the service, and then another: a set-user-id program, or a number that was given again."""

    def look() -> object:
        os.setresuid(SERVICE_USER, SERVICE_USER, 0)
        with socket.socket(socket.AF_UNIX) as asking:
            asking.connect(str(at.path))
            enter()
            with asking.makefile() as said:
                return [said.read().strip(), maps()]

    answer, found = as_user(look, 0)
    assert answer.startswith("refused") and found == EMPTY


@needs_root
def test_a_namespace_of_somebody_elses_is_not_filled_though_the_service_is_in_it(at: Served) -> None:
    """No ordinary process of the service's gets there; a number that was given again could be such a one."""

    def look(stranger: int) -> object:
        namespace = os.open(f"/proc/{stranger}/ns/user", os.O_RDONLY)
        kernel.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
        os.setresgid(SERVICE_USER, SERVICE_USER, SERVICE_USER)
        os.setresuid(SERVICE_USER, SERVICE_USER, SERVICE_USER)
        kernel.setns(namespace, kernel.CLONE_NEWUSER)
        keep_memory_private(False)
        return [ask(at.path), maps()]

    with beside(STRANGER) as stranger:
        assert as_user(lambda: look(stranger), 0) == ["refused: [Errno 1] Operation not permitted", EMPTY]
        assert maps(stranger) == EMPTY


@needs_root
def test_a_process_that_ended_gets_nothing(at: Served) -> None:
    mine, theirs = socket.socketpair()

    def look() -> object:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.bind("")
            asking.listen()
            child = os.fork()
            if not child:
                with socket.socket(socket.AF_UNIX) as connecting:
                    connecting.connect(asking.getsockname())
                    os._exit(0)
            peer, _ = asking.accept()
            os.waitpid(child, 0)
            socket.send_fds(theirs, [b"!"], [peer.fileno()])
        return True

    assert as_user(look) is True
    with mine, theirs:
        handle = socket.recv_fds(mine, 1, 1)[1][0]
    code, said = run(handle)
    os.close(handle)
    assert (code, said.split(":")[0]) == (5, "refused")


@needs_root
@pytest.mark.parametrize("message", [b"\0" * 1_000_000, b"\xff\xfe" * 10, b"{" * 5000, b"GET / HTTP/1.1\r\n\r\n"])
def test_garbage_changes_nothing(at: Served, message: bytes) -> None:
    def look() -> object:
        enter()
        ask(at.path, message)
        return maps()

    assert as_user(look) == [GIVEN, GIVEN]


@needs_root
def test_a_client_that_hangs_or_goes_holds_nobody_up(at: Served) -> None:
    def look() -> object:
        enter()
        hanging = [socket.socket(socket.AF_UNIX) for _ in range(3)]
        for each in hanging:
            each.connect(str(at.path))
        hanging.pop().close()
        # Served after them, while two wait and neither speak nor listen.
        return [ask(at.path).split(":")[0], maps()]

    assert as_user(look) == ["refused", [GIVEN, GIVEN]]
    assert len(at.ends) == 4


@needs_root
@pytest.mark.parametrize("service", ["root", "no-such-user-here", "0", "", "../root"])
def test_a_service_that_is_root_or_unknown_gets_nothing(service: str) -> None:
    mine, theirs = socket.socketpair()
    with mine, theirs:
        code, said = run(theirs, service)
        assert (code, said.split(":")[0]) == (5, "refused")


@needs_root
def test_what_is_no_unix_socket_is_refused() -> None:
    with socket.socket() as listening, socket.socket() as asking:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        asking.connect(listening.getsockname())
        peer, _ = listening.accept()
        with peer:
            assert run(peer)[0] == 5
    with Path("/dev/null").open() as nothing:
        assert run(nothing.fileno())[0] != 0


@needs_root
def test_the_socket_is_the_services_alone() -> None:
    with served() as at:
        assert as_user(lambda: ask(at.path), STRANGER).startswith("PermissionError")
        assert as_user(lambda: ask(at.path)).startswith("refused")


STATUS = "Name:\tpython\\nUid:\t0\nUid:\t7\t7\t7\t7\nGid:\t8\t8\t8\t8\nGroups:\t8 30 0 29 1900000005 \n"


def test_the_groups_of_a_process_are_its_own_without_roots_and_without_functions() -> None:
    assert helper.device_groups(STATUS, 7, 8) == [29, 30]


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("Uid:\t7\t7\t7\t7", "Uid:\t7\t7\t0\t7"),
        ("Uid:\t7\t7\t7\t7", "Uid:\t7\t9\t7\t7"),
        ("\t8\t8\t8\t8", "\t8\t8\t0\t8"),
    ],
)
def test_a_process_with_another_user_or_group_in_any_of_its_four_places_is_refused(part: str, other: str) -> None:
    with pytest.raises(RefusedError):
        helper.device_groups(STATUS.replace(part, other), 7, 8)


def test_more_groups_than_a_map_should_have_are_refused() -> None:
    many = "Groups:\t" + " ".join(map(str, range(100, 400)))
    with pytest.raises(RefusedError, match="300 groups"):
        helper.device_groups(STATUS.replace("Groups:\t8 30 0 29 1900000005 ", many), 7, 8)


@pytest.mark.parametrize(("user", "group"), [(0, 5), (5, 0), (FIRST_USER, 5), (5, FIRST_USER + 7), (-1, 5)])
def test_a_service_that_is_root_or_a_function_is_refused_before_anything_is_read(user: int, group: int) -> None:
    with pytest.raises(RefusedError, match="root, or a function"):
        helper.give(os.getpid(), user, group)


def test_no_map_has_anybody_below_the_functions_but_the_service_and_its_devices_groups() -> None:
    assert helper.users(7) == f"0 7 1\n{FIRST_USER} {FIRST_USER} {USERS}\n"
    assert helper.groups(8, [29]) == helper.users(8) + "29 29 1\n"
    assert FIRST_USER + USERS <= 2**31
