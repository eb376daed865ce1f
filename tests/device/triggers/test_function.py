"""Results that start other functions."""

from device.triggers.function import ResultHub


def test_the_results_of_the_named_function_are_delivered_until_closed(delivered):
    hub = ResultHub()
    trigger = hub.trigger("night-light", delivered)
    hub.decided({"function": "other", "version": 1, "event": "other-1", "result": 1, "ms": 0.1, "given": {}})
    known = {"function": "night-light", "version": 3, "event": "night-light-7", "result": {"lit": True}}
    hub.decided({**known, "ms": 0.1, "given": {"hops": 3}})
    trigger.close()
    hub.decided({**known, "event": "night-light-8", "ms": 0.1, "given": {}})
    data = {"function": "night-light", "version": 3, "event": "night-light-7", "result": {"lit": True}}
    assert delivered.events == [("function/night-light", "lamplight.function.result", data, "night-light")]
    assert delivered.trails == [("",) * 4]
