"""`context.log` and `logging` in a worker: as in any Python program, with their levels and the event's id."""

import pytest


def run(bench, body, *data, head=""):
    """The log of a function with this handler, after a call with each of `data`: (level, text) without the start."""
    code = f"import logging, logging.config, sys\n{head}\ndef handler(event, context):\n    {body}\n"
    bench.run(bench.function(code))
    for each in data or (None,):
        bench.supervisor.call("f", each)
    return [(each["level"], each["text"]) for each in bench.records.of("log", function="f")]


@pytest.mark.parametrize(
    ("call", "level", "text"),
    [
        ("debug('x')", "debug", "x"),
        ("warn('x')", "warning", "x"),
        ("critical('x %s', 1)", "error", "x 1"),
        ("fatal('x')", "error", "x"),
        ("log(logging.WARNING, 'x')", "warning", "x"),
        ("log(25, 'between')", "info", "between"),
        ("info('x', extra={'room': 'hall'})", "info", "x"),
        ("info('%(a)s', {'a': 1})", "info", "1"),
        ("info(5)", "info", "5"),
        ("info('100%')", "info", "100%"),
        ("line('warning', 'x')", "warning", "x"),
    ],
)
def test_it_has_the_methods_of_a_logger(bench, call, level, text):
    assert (level, text) in run(bench, f"context.log.{call}")


def test_an_exception_is_logged_with_its_trace(bench):
    body = (
        "try: 1 / 0\n    except ZeroDivisionError: context.log.exception('no'); context.log.info('so', exc_info=True)"
    )
    (level, text), (second, _) = run(bench, body)
    assert (level, second) == ("error", "info")
    assert text.startswith("no\nTraceback") and text.endswith("ZeroDivisionError: division by zero")


def test_it_is_a_logger_with_a_level_of_its_own(bench):
    body = (
        "log = context.log; log.setLevel(logging.WARNING); log.info('unheard'); log.warning('heard')\n"
        "    log.error([isinstance(log, logging.Logger), log.isEnabledFor(20), log.isEnabledFor(30), log.name])"
    )
    assert run(bench, body) == [("warning", "heard"), ("error", "[True, False, True, 'f']")]


def test_arguments_that_do_not_fit_are_told_and_the_event_goes_on(bench):
    said = run(bench, "context.log.info('%d lux', 'dark'); context.log.info('after')")
    assert ("info", "after") in said and any("%d lux" in text for _, text in said)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("", [("info", "lib: i"), ("error", "lib: e")]),
        ("logging.basicConfig(level=logging.DEBUG)", [("debug", "lib: d"), ("info", "lib: i"), ("error", "lib: e")]),
        ("logging.basicConfig(level='ERROR')", [("error", "lib: e")]),
        (
            "logging.basicConfig(level=logging.INFO, format='<%(levelname)s> %(message)s')",
            [("info", "<INFO> i"), ("error", "<ERROR> e")],
        ),
        ("logging.basicConfig(force=True, level=40)", [("error", "lib: e")]),
        ("logging.getLogger().setLevel(10)", [("debug", "lib: d"), ("info", "lib: i"), ("error", "lib: e")]),
        ("logging.config.dictConfig({'version': 1, 'root': {'level': 'ERROR'}})", [("error", "lib: e")]),
        # It asked for standard output: the text is as it says, and the level is that of printed lines.
        (
            "logging.basicConfig(stream=sys.stdout, format='%(message)s', level=40)",
            [("info", "e")],
        ),
        ("logging.disable(logging.INFO)", [("error", "lib: e")]),
    ],
)
@pytest.mark.parametrize("place", ["module", "handler"])
def test_logging_is_configured_as_in_any_program(bench, place, setting, expected):
    speak = "lib = logging.getLogger('lib'); lib.debug('d'); lib.info('i'); lib.error('e')"
    body = speak if place == "module" else f"{setting or 'pass'}\n    {speak}"
    assert run(bench, body, head=setting if place == "module" else "") == expected


def test_each_event_s_lines_are_its_own_and_carry_its_id(bench):
    body = (
        "if event.data == 1: print('measuring...', end='')\n"
        "    if event.data == 2: [sys.stderr.write(f'\\r {n}%') for n in (10, 100)]; print('so far', end='')\n"
        "    if event.data == 3: print('done'); context.log.info('logged')"
    )
    run(bench, body, 1, 2, 3, head="print('imported')")
    bench.records.wait("log", text="logged")
    bench.records.wait("log", text="done")
    found = sorted((each.get("event", ""), each["text"]) for each in bench.records.of("log"))
    assert found == [
        ("", "imported"),
        ("f-1", "measuring..."),
        ("f-2", " 10%"),
        ("f-2", " 100%"),
        ("f-2", "so far"),
        ("f-3", "done"),
        ("f-3", "logged"),
    ]


def test_the_error_of_an_event_carries_its_id(bench):
    bench.run(bench.function("def handler(event, context): 1 / 0"))
    bench.offer("f")
    assert bench.records.wait("log", level="error")[0]["event"] == "f-1"
