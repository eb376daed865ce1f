"""Results that start other functions."""

from device.triggers.function import ResultHub


def test_the_results_of_the_named_function_are_delivered_until_closed(delivered):
    hub = ResultHub()
    trigger = hub.trigger("night-light", delivered)
    hub.decided({"function": "other", "version": 1, "event": "other-1", "result": 1, "ms": 0.1})
    hub.decided({"function": "night-light", "version": 3, "event": "night-light-7", "result": {"lit": True}, "ms": 0.1})
    trigger.close()
    hub.decided({"function": "night-light", "version": 3, "event": "night-light-8", "result": None, "ms": 0.1})
    data = {"function": "night-light", "version": 3, "event": "night-light-7", "result": {"lit": True}}
    assert delivered.events == [("function/night-light", "lamplight.function.result", data, "night-light")]
