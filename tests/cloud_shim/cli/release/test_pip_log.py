"""What pip's log says beyond its answer; a log of another form says nothing."""

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from cloud_shim.cli.release import pip_log

WHERE = "https://files.example"
LOG = f"""2026-11-28T23:32:44,776   Found link {WHERE}/lgpio-0.0.0.2-py3-none-any.whl (from x), version: 0.0.0.2
2026-11-28T23:32:44,776   Skipping link: No sources permitted for lgpio: {WHERE}/lgpio-0.2.2.0.tar.gz (from x)
2026-11-28T23:32:44,776   Skipping link: No sources permitted for lgpio: {WHERE}/lgpio-0.0.0.2.tar.gz (from x)
2026-11-28T23:32:44,776   Skipping link: No sources permitted for lgpio: {WHERE}/lgpio-0.3rc1.tar.gz (from x)
2026-11-28T23:32:44,776   Skipping link: none of the wheel's tags (cp312-cp312-win_amd64) are compatible \
(run pip debug --verbose to show compatible tags): {WHERE}/native-3.0%2Bcpu-cp312-cp312-win_amd64.whl (from x)
2026-11-28T23:32:44,776   Skipping link: No sources permitted for native: {WHERE}/native-3.0+cpu.tar.gz
2026-11-28T23:32:44,776   Skipping link: 4.0 Requires-Python >=3.14: file:///opt/young-4.0-py3-none-any.whl (from x)
2026-11-28T23:32:44,776   Skipping link: not a file: {WHERE}/
2026-11-28T23:32:44,776   Skipping link: No sources permitted for odd: {WHERE}/odd.tar.gz
"""


def test_the_newest_version_without_a_file_for_the_board_and_why():
    found = pip_log.passed_over(LOG)
    assert {name: (each.version, each.why) for name, each in found.items()} == {
        "lgpio": (Version("0.2.2.0"), "a source distribution only"),
        "native": (Version("3.0+cpu"), "wheels for other systems only"),
        "young": (Version("4.0"), "files for Python >=3.14 only"),
    }


def test_a_package_is_lacking_when_no_version_of_it_has_a_file_for_the_board():
    assert sorted(pip_log.lacking(LOG)) == ["native", "young"]


def test_the_sides_of_a_conflict():
    log = (
        "2026-11-28T23:32:50,844 The conflict is caused by:\n"
        "2026-11-28T23:32:50,844     The user requested numpy==1.26.4\n"
        "2026-11-28T23:32:50,844     branch 1.0 depends on numpy<2\n"
        "2026-11-28T23:32:50,844     The user requested (constraint) numpy==2.4.6\n"
    )
    assert pip_log.conflict(log) == [
        "The user requested numpy==1.26.4",
        "branch 1.0 depends on numpy<2",
        "The user requested (constraint) numpy==2.4.6",
    ]


SOURCES = f"""2026-11-29T02:50:37,746   Skipping link: No sources permitted for paho: {WHERE}/paho-1.5.tar.gz (from x)
2026-11-29T02:50:37,746   Skipping link: No sources permitted for paho: {WHERE}/paho-1.6.1.tar.gz (from x)
2026-11-29T02:50:37,746   Skipping link: No sources permitted for paho: {WHERE}/paho-2.0.tar.gz (from x)
2026-11-29T02:50:37,746   Found link file:///opt/paho-2.0-py3-none-any.whl, version: 2.0
2026-11-29T02:50:37,746   Found link {WHERE}/paho-2.1-py3-none-any.whl (from x) (requires-python:>=3.7), version: 2.1
"""


@pytest.mark.parametrize(
    ("told", "known", "found"),
    [
        ("ERROR: Could not find a version that satisfies the requirement paho<2 (from versions: 2.0)", "", ["paho<2"]),
        (
            "ERROR: Could not find a version that satisfies the requirement paho<2 (from branch) (from versions: 2.0)",
            "",
            ["paho<2"],
        ),
        (
            "ERROR: Could not find a version that satisfies the requirement paho (from versions: 2.0)",
            "==1.5",
            ["paho==1.5"],
        ),
        ("ERROR: Could not find a version that satisfies the requirement paho<1 (from versions: 2.0)", "", []),
        ("    branch 1.0 depends on paho<2 and >=1.6; python_version > '2.7'", "", ["paho<2,>=1.6"]),
        ("    branch 1.0 depends on paho<2\n2026-11-29T02:50:37,746     The user requested paho>=2", "", ["paho<2"]),
        (
            "    branch 1.0 depends on paho>=2\n2026-11-29T02:50:37,746     The user requested (constraint) paho==2.1",
            "",
            [],
        ),
        ("    branch 1.0 depends on !!!", "", []),
        ("anything else", "", []),
    ],
)
def test_a_source_may_meet_what_no_wheel_meets(told, known, found):
    asked = pip_log.buildable(f"{SOURCES}2026-11-29T02:50:37,746 {told}\n", {"paho": SpecifierSet(known)})
    assert [str(each) for each in asked] == [str(Requirement(each)) for each in found]


def test_the_address_of_a_file_is_found_also_in_a_folder():
    assert pip_log.address(SOURCES, "paho-2.0-py3-none-any.whl") == "file:///opt/paho-2.0-py3-none-any.whl"
    assert pip_log.address(SOURCES, "other.whl") == ""


def test_a_log_of_another_form_says_nothing():
    assert pip_log.passed_over("Skipping: x") == {} and pip_log.conflict("") == []
