"""The benchmarks' command gives every figure. That is all: no time is asserted, for machines are shared and noisy."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORKERS = (
    "warm start → first result",
    "warm start → first result, with a model",
    "deadline → worker gone",
    "crash → next result",
)
KEYS = {"name", "unit", "ours", "reference", "ratio", "goal", "pinned"}

MQTT = (*["MQTT in → function → MQTT out"] * 3, *["MQTT in → function → MQTT out, pipelined"] * 2)
HTTP = ("HTTP, warm, one at a time", "HTTP, warm, 8 connections")


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    output = tmp_path_factory.mktemp("bench") / "bench.json"
    command = [sys.executable, "-m", "tests.bench", "--quick", "--output", str(output)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    figures = json.loads(output.read_text())
    assert all(figure["name"] in done.stdout for figure in figures)
    return figures


@pytest.mark.e2e
def test_every_figure_is_measured(figures: list[dict[str, object]]):
    found = [(figure["name"], figure["pinned"]) for figure in figures]
    assert found == [
        ("event → handler → result", False),
        ("event → handler → result", True),
        *((name, pinned) for pinned in (False, True) for name in MQTT),
        *((name, pinned) for pinned in (False, True) for name in HTTP),
        *((name, pinned) for pinned in (False, True) for name in WORKERS),
        ("inference in a function (presence)", True),
        ("inference in a function (a dozen convolutions)", True),
        ("deploy → first event in new code", False),
        ("deploy → first event in new code, beside a flood of records", False),
        ("record → stored, beside a flood of records", False),
        ("artifact of 1 MiB: fetched", False),
        ("artifact of 1 MiB: fetched", False),
        ("artifact of 1 MiB: sent and fetched", False),
        ("artifact of 1 MiB: fetched, untuned broker", False),
        ("artifact of 1 MiB: written to flash", False),
        ("three lines in ten files: travels", False),
        ("three lines in ten files: applied", False),
        ("launcher, agent and night-light at idle (PSS)", False),
        ("launcher, agent and night-light at idle (PSS)", False),
        ("agent alone (PSS)", False),
        ("launcher, agent, zygote and 5 functions at idle (PSS)", False),
        ("the same, one of them with a model (PSS)", False),
    ]


@pytest.mark.e2e
def test_each_figure_is_positive_and_has_its_reference_and_goal(figures: list[dict[str, object]]):
    for figure in figures:
        assert figure.keys() == KEYS
        ours, reference, ratio = figure["ours"], figure["reference"], figure["ratio"]
        assert all(isinstance(each, float) and 0 < each < math.inf for each in (ours, reference, ratio)), figure
        assert math.isclose(ratio, ours / reference)
        assert figure["goal"] is None or figure["goal"] > 0
