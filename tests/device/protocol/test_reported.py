"""What a board may say of itself, and what is refused before a person sees it."""

import pytest

from device.protocol import reported
from device.protocol.errors import ProtocolError
from device.protocol.reported import Disk, Evidence, Platform, ReportedAgent, ReportedOutput, ReportedUpdate, Standing
from tests import samples


def test_a_report_is_read_and_written_as_it_was():
    report = samples.report()
    assert reported.parse(report).to_json() == report
    assert reported.parse(reported.parse(report).to_json()) == reported.parse(report)


def test_what_a_newer_agent_says_besides_passes():
    assert reported.parse(samples.report(tomorrow={"x": 1})) == samples.reported_value()


def test_its_parts_are_typed():
    told = samples.reported_value()
    assert (told.generation, told.previous, told.update.state) == (7, 6, "REVERTED")
    assert told.functions["night-light"].deaths == {"SIGSEGV": 1}
    assert told.models["presence"].version == 1
    assert told.failed[8] == "night-light: crashed 3 times"
    assert (told.evidence[8].seconds, told.evidence[8].now["crashes"]) == (1.5, 3)
    assert told.agent == ReportedAgent("0.2.0", previous="0.1.0")
    assert (told.disk, told.platform) == (Disk(12_884_901_888, 1_048_576), Platform("aarch64", "3.11", 36))


def test_an_output_may_be_on_off_or_unknown_and_an_agent_may_tell_of_none():
    assert samples.reported_value().outputs == {"led": ReportedOutput("night-light", True, 1000.5)}
    told = {"led": {"function": "f", "level": None, "since": 2}}
    assert samples.reported_value(outputs=told).outputs == {"led": ReportedOutput("f", None, 2)}
    assert samples.reported_value(outputs={}).to_json()["outputs"] == {}
    report = samples.report()
    del report["outputs"]
    earlier = reported.parse(report)
    assert earlier.outputs is None
    assert "outputs" not in earlier.to_json()


@pytest.mark.parametrize(
    "lacking", ["runtime", "disk", "platform", "evidence", "patches", "libraries", "outputs", "runtimes"]
)
def test_what_an_earlier_agent_does_not_tell_may_lack(lacking):
    report = samples.report()
    del report[lacking]
    reported.parse(report)


def test_an_agent_that_says_no_form_of_archives_and_no_whole_python_has_the_first_and_any():
    told = samples.reported_value()
    assert told.archive == 1 and told.platform.full == "" and "archive" not in told.to_json()
    platform = {"machine": "aarch64", "python": "3.11", "glibc": 36, "full": "3.11.2"}
    newer = samples.reported_value(archive=2, platform=platform)
    assert newer.archive == 2 and newer.platform.full == "3.11.2" and reported.parse(newer.to_json()) == newer


def test_the_first_agents_tell_of_themselves_by_their_version_alone():
    assert samples.reported_value(agent="0.1.0", runtime=None).agent == ReportedAgent("0.1.0")
    known = samples.agent(trial=True)
    del known["safe"]
    assert samples.reported_value(runtime=known).agent == ReportedAgent("0.2.0", trial=True, previous="0.1.0")


def test_an_update_of_an_agent_without_patches_is_read():
    update = {"generation": 8, "state": "FETCHING", "reason": "", "bytes": 1, "total": 2}
    assert samples.reported_value(update=update).update == ReportedUpdate(8, "FETCHING", "", 1, 2)


@pytest.mark.parametrize("kept", [None, {}, {"generation": 7}, [], 5, samples.report(functions={"../x": {}})])
def test_what_is_no_report_counts_as_none(kept):
    assert reported.known(kept) is None


def test_a_report_that_is_kept_is_known():
    assert reported.known(samples.report()) == samples.reported_value()


def told(generation, update, state, **fields):
    fields = {"failed": {}, "evidence": {}, **fields}
    return samples.reported_value(
        generation=generation,
        update={"generation": update, "state": state, "reason": "why", "bytes": 0, "total": 0},
        **fields,
    )


@pytest.mark.parametrize(
    ("report", "outcomes"),
    [
        (told(7, 7, "IDLE"), [(7, "COMMITTED")]),
        (told(7, 7, "COMMITTED"), [(7, "COMMITTED"), (7, "COMMITTED")]),
        (told(7, 8, "FETCHING"), [(7, "COMMITTED")]),
        (told(8, 8, "TRIAL"), []),
        (told(7, 8, "TRIAL"), [(7, "COMMITTED")]),
        (told(7, 8, "REVERTED"), [(7, "COMMITTED"), (8, "REVERTED")]),
        (told(7, 8, "REJECTED"), [(7, "COMMITTED"), (8, "REJECTED")]),
    ],
)
def test_a_report_tells_which_generations_proved_themselves(report, outcomes):
    assert report.outcomes() == outcomes


@pytest.mark.parametrize(
    ("report", "standing"),
    [
        (told(7, 7, "COMMITTED"), Standing("WAITING")),
        (told(7, 8, "FETCHING"), Standing("FETCHING", "why")),
        (told(8, 8, "TRIAL"), Standing("TRIAL", "why")),
        (told(8, 8, "IDLE"), Standing("COMMITTED")),
        (told(7, 8, "REJECTED"), Standing("REJECTED", "why")),
        (
            told(7, 8, "REVERTED", evidence={"8": {"seconds": 1}}),
            Standing("REVERTED", "why", Evidence({"seconds": 1})),
        ),
        (told(7, 7, "IDLE", failed={"8": "crashed"}), Standing("REVERTED", "crashed")),
        (told(9, 9, "TRIAL", failed={"8": "crashed"}), Standing("REVERTED", "crashed")),
        (told(7, 9, "FETCHING"), Standing("SUPERSEDED")),
        (told(9, 9, "COMMITTED"), Standing("SUPERSEDED")),
    ],
)
def test_a_report_tells_where_a_generation_stands(report, standing):
    assert report.standing(8) == standing


@pytest.mark.parametrize(
    "changed",
    [
        {"board": 7},
        {"generation": -1},
        {"previous": None},
        {"update": {}},
        {"functions": {"x": 5}},
        {"functions": {"x": {}}},
        {"functions": {"../x": {}}},
        {"functions": []},
        {"models": {"m": {"version": "1"}}},
        {"sensors": {"light": {"ok": 1, "error": ""}}},
        {"failed": {"8": 7}},
        {"failed": {"\x1b[2J": "why"}},
        {"failed": {"9" * 5000: "why"}},
        {"evidence": {"8": []}},
        {"evidence": {"8": {"seconds": 10**400}}},
        {"evidence": {"8": {"now": {"events": "many"}}}},
        {"evidence": {"8": {"last_error": 7}}},
        {"patches": 1},
        {"confinement": {"memory": {}}},
        {"runtime": [1]},
        {"runtime": {"version": "1"}},
        {"disk": 7},
        {"disk": {"free": 1}},
        {"disk": {"free": "all", "used": 2}},
        {"disk": {"free": 10**400, "used": 2}},
        {"platform": {"machine": "x"}},
        {"ai": "yes"},
        {"libraries": []},
        {"libraries": {"tuf": 6}},
        {"runtimes": "python3"},
        {"runtimes": [1]},
        {"runtimes": ["A B"]},
        {"outputs": []},
        {"outputs": {"led": True}},
        {"outputs": {"../led": {"function": "f", "level": True, "since": 1}}},
        {"outputs": {"led": {"function": "f", "level": "on", "since": 1}}},
        {"outputs": {"led": {"function": "f", "level": 1, "since": 1}}},
        {"outputs": {"led": {"function": 7, "level": None, "since": 1}}},
        {"outputs": {"led": {"function": "f", "level": True, "since": 1e300}}},
        {"outputs": {"led": {"function": "f", "level": True}}},
    ],
    ids=str,
)
def test_another_shape_is_refused(changed):
    with pytest.raises(ProtocolError, match=r"^reported"):
        reported.parse(samples.report(**changed))


@pytest.mark.parametrize("triggers", [{}, "x", [1], [{"trigger": 1, "error": "", "remedy": ""}], [{"trigger": "http"}]])
def test_triggers_in_another_form_are_refused(triggers):
    report = samples.report()
    report["functions"]["night-light"]["triggers"] = triggers
    with pytest.raises(ProtocolError, match="triggers"):
        reported.parse(report)


TRIGGER = {"trigger": "http /lamp", "error": "the port is taken", "remedy": "choose another"}


def with_trigger(**changes):
    report = samples.report(**changes)
    report["functions"]["night-light"]["triggers"] = [TRIGGER]
    return report


def test_triggers_out_of_service_and_withdrawals_are_read_and_written_as_they_were():
    report = with_trigger(withdrawn=3)
    told = reported.parse(report)
    assert told.to_json() == report
    assert told.withdrawn == 3
    assert [vars(each) for each in told.functions["night-light"].triggers] == [TRIGGER]
    assert samples.reported_value().withdrawn is None
    with pytest.raises(ProtocolError, match=r"^reported\.withdrawn"):
        reported.parse(samples.report(withdrawn=-1))


def test_parts_are_equal_by_what_they_say():
    assert reported.parse(with_trigger()) != samples.reported_value()
    assert ReportedOutput("f", True, 1) != ReportedOutput("f", None, 1)
    assert ReportedUpdate(1, "IDLE", "", 0, 0) != ReportedAgent("1")
    assert repr(Disk(1, 2)) == "Disk({'free': 1, 'used': 2})"


def test_what_ever_changes_is_no_reason_to_keep_another_report():
    steady = samples.reported_value().steady()
    busy = samples.report(outputs={}, disk={"free": 1, "used": 1})
    busy["functions"]["night-light"].update(events=999, errors=9)
    assert reported.parse(busy).steady() == steady
    assert not {"disk", "outputs"} & steady.keys()
    assert reported.parse(with_trigger()).steady() != steady
    assert samples.reported_value(generation=8).steady() != steady


def test_where_a_failed_generation_stands_is_told_with_its_evidence():
    grounds = {"8": {"seconds": 2}}
    report = told(9, 9, "TRIAL", failed={"8": "crashed"}, evidence=grounds)
    assert report.standing(8) == Standing("REVERTED", "crashed", Evidence({"seconds": 2}))


def test_where_the_generation_that_runs_stands_while_another_is_fetched():
    assert told(8, 9, "FETCHING").standing(8) == Standing("COMMITTED")
    assert told(7, 7, "IDLE").standing(8) == told(7, 8, "IDLE").standing(8) == Standing("WAITING")


@pytest.mark.parametrize("seconds", [0, 2**53])
def test_evidence_of_the_shortest_and_the_longest_trial_passes(seconds):
    assert samples.reported_value(evidence={"8": {"seconds": seconds}}).evidence[8].seconds == seconds


@pytest.mark.parametrize("seconds", [-1, 2**53 + 1])
def test_evidence_of_no_duration_is_refused(seconds):
    with pytest.raises(ProtocolError, match=r"^reported\.evidence\.seconds"):
        reported.parse(samples.report(evidence={"8": {"seconds": seconds}}))


def test_the_number_of_a_generation_has_at_most_19_digits():
    assert samples.reported_value(failed={"9" * 19: "why"}).failed == {int("9" * 19): "why"}
    for key in ("9" * 20, "", "-1", "٣", "1 "):
        with pytest.raises(ProtocolError, match=r"^reported\.failed"):
            reported.parse(samples.report(failed={key: "why"}))


def test_agents_of_earlier_releases_leave_out_more():
    report = samples.report()
    del report["functions"]["night-light"]["sha256"], report["models"]["presence"]["sha256"]
    del report["functions"]["night-light"]["deaths"]
    told = reported.parse(report)
    assert (told.functions["night-light"].digest, told.models["presence"].digest) == ("", "")
    assert told.functions["night-light"].deaths == {}
    del report["patches"]
    assert reported.parse(report).patches is False


def test_every_word_of_the_agent_is_kept():
    agent = {"version": "2", "sha256": "5" * 64, "trial": True, "previous": "1", "lost": "why", "safe": "so"}
    assert samples.reported_value(runtime=agent).to_json()["runtime"] == agent
    assert vars(samples.reported_value(runtime=agent).agent) == vars(
        ReportedAgent("2", "5" * 64, True, "1", "why", "so")
    )


@pytest.mark.parametrize("key", ["version", "sha256", "trial", "previous", "lost"])
def test_an_agent_that_leaves_out_a_word_is_refused(key):
    agent = {name: value for name, value in samples.agent().items() if name != key}
    with pytest.raises(ProtocolError, match=rf"^reported\.runtime\.{key}"):
        reported.parse(samples.report(runtime=agent))
