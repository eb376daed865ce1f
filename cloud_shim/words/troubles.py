"""The present troubles of a function, in words: for `lamplight status` and the device's page.

Counts of events and errors are told elsewhere.
"""

from device.protocol.reported import HELD, ReportedFunction


def of_function(runs: ReportedFunction) -> list[str]:
    """A line for the reason for which a function is held back, and for each of its triggers without events.

    Examples:
        >>> from device.protocol.reported import ReportedTrigger
        >>> taken = ReportedTrigger("http /lamp", "HTTP cannot be served", "stop the other server")
        >>> of_function(ReportedFunction(1, "", "impaired", 0, 0, 0, {}, "", [taken]))
        ['trigger http /lamp does not work: HTTP cannot be served. stop the other server']
        >>> of_function(ReportedFunction(1, "", "held", 0, 0, 0, {}, "the board has no pin 'lamp'"))
        ["does not run: the board has no pin 'lamp'"]
    """
    held = [f"does not run: {runs.last_error}"] if runs.state == HELD else []
    broken = (f"trigger {each.trigger} does not work: {each.error}. {each.remedy}" for each in runs.triggers)
    return [*held, *(each.strip() for each in broken)]
