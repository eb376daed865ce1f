"""Calls from the cloud: each is answered once, whatever happens."""

import threading
from collections.abc import Callable

from device.calls import MAX_WAITING, THREADS, Calls
from device.errors import LamplightError, NotFoundError
from device.protocol.messages import Call, Reply


class Replies:
    def __init__(self) -> None:
        self.got: list[Reply] = []
        self._changed = threading.Condition()

    def __call__(self, _function: str, reply: Reply) -> None:
        with self._changed:
            self.got.append(reply)
            self._changed.notify_all()

    def wait(self, condition: Callable[[list[Reply]], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.got), 30)


def test_the_result_comes_back_under_the_callers_id() -> None:
    replies = Replies()
    calls = Calls(lambda function, data, _type: [function, data], replies)
    calls.submit("hello", Call("17", {"name": "Ada"}))
    replies.wait(lambda got: len(got) == 1)
    assert (replies.got[0].id, replies.got[0].result, replies.got[0].error) == ("17", ["hello", {"name": "Ada"}], "")
    calls.close()


def test_an_error_is_an_answer_too() -> None:
    def run(function: str, _data: object, _type: str) -> object:
        raise {
            "gone": NotFoundError(f"No function {function} runs here"),
            "broken": LamplightError("It raised"),
            "ours": KeyError("a fault of ours"),
        }[function]

    replies = Replies()
    calls = Calls(run, replies)
    for number, function in enumerate(("gone", "broken", "ours")):
        calls.submit(function, Call(str(number), None))
    replies.wait(lambda got: len(got) == 3)
    errors = {r.id: r.error for r in replies.got}
    assert errors == {"0": "No function gone runs here", "1": "It raised", "2": "KeyError: 'a fault of ours'"}
    calls.close()


def test_a_flood_of_calls_is_refused_not_kept() -> None:
    replies, release = Replies(), threading.Event()
    calls = Calls(lambda _function, _data, _type: release.wait(30), replies)
    for n in range(MAX_WAITING + 5):
        calls.submit("slow", Call(str(n), None))
    replies.wait(lambda got: len(got) == 5)
    assert all("try again later" in reply.error for reply in replies.got)
    release.set()
    replies.wait(lambda got: len(got) == MAX_WAITING + 5)
    assert THREADS < MAX_WAITING
    calls.close()
