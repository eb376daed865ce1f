"""Where a machine cannot confine a build, nothing is built; it says why. The forms of what is exchanged."""

import sys
from pathlib import Path

import pytest

from cloud_shim.cli.release.source import chamber, order, pyproject
from cloud_shim.cli.release.source.chamber import Outcome
from cloud_shim.cli.release.source.order import Answer
from device.errors import LamplightError
from tests.sources import sdist


def test_another_system_says_so_and_runs_nothing(index, deploy, monkeypatch):
    sdist(index, "leaf")
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(LamplightError, match=r"Nothing was built. darwin has no sandbox for the package's own code"):
        deploy("leaf\n")


def test_a_linux_without_the_means_says_which_and_runs_nothing(index, deploy, monkeypatch):
    sdist(index, "leaf")
    monkeypatch.setattr(chamber, "run", lambda *_: Outcome(Answer(lacks=("network", "system calls")), (), late=False))
    with pytest.raises(LamplightError, match=r"Nothing was built.*does not confine network, system calls"):
        deploy("leaf\n")


@pytest.mark.skipif(sys.platform != "linux", reason="the confined process is for Linux")
def test_each_means_counts():
    from cloud_shim.cli.release.source.inside import missing
    from device.runtime.confinement.mechanisms import Mechanisms

    every = Mechanisms(view=True, user_namespace=True, network_namespace=True, processes=True, landlock=7, filter=True)
    home = Path("/home/ada")
    assert missing(every, home, [Path("/usr"), Path("/home/ada/.venv")]) == []
    assert len(missing(Mechanisms(), home, [])) == 5
    assert missing(every, home, [Path("/home")]) == missing(every, home, [home]) != []
    for lacking in ("view", "filter", "processes"):
        assert len(missing(Mechanisms(**{**vars(every), lacking: False}), home, [])) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="the confined process is for Linux")
def test_the_program_ends_where_the_means_are_missing(monkeypatch, capfdbinary):
    from cloud_shim.cli.release.source import inside
    from device.runtime.confinement.mechanisms import Mechanisms

    monkeypatch.setattr(inside, "mechanisms", Mechanisms)
    monkeypatch.setattr(sys, "argv", ["inside", order.Order("wheel", "x.tar.gz", "/home/ada", "/nowhere").text()])
    inside.main()
    sys.stdout.flush()
    answer = order.received(capfdbinary.readouterr().out)
    assert answer is not None and len(answer.lacks) == 5 and not answer.data


@pytest.mark.parametrize("data", [b"", b"{}", b"[]\n", b"nonsense\n", b"\xff\n", b"[" * 100_000 + b"\n"])
def test_what_is_no_answer_is_none(data):
    assert order.received(data) is None


def test_an_answer_comes_through_and_a_strangers_form_does_no_harm():
    answer = Answer(file="a.whl", data=b"PK\n\0", compiled=("a.c",))
    assert order.received(answer.sent()) == answer
    odd = order.received(b'{"requires": [1, "x"], "file": 3, "lacks": "abc", "failed": "yes"}\n')
    assert odd == Answer(requires=("x",))


@pytest.mark.parametrize(
    "text", ["[[[", "build-system = 3", "[build-system]\nrequires = [1]", "[build-system]\nbuild-backend = 3"]
)
def test_a_project_that_is_not_understood_is_an_error(text):
    with pytest.raises(ValueError):
        pyproject.plan(text)


def test_a_package_without_a_project_is_built_by_setuptools():
    assert pyproject.plan("").backend == "setuptools.build_meta:__legacy__"
    assert pyproject.plan("[build-system]\nrequires = ['x']").requires == ("x",)
