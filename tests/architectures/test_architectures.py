"""The agent, its functions and the night-light on other processors, each under emulation.

The table in docs/boards.md says what these tests have seen.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud_shim.cli.client import Client
from tests.architectures import libraries, machines
from tests.architectures.board import BOARD, EmulatedBoard
from tests.architectures.machines import Machine
from tests.e2e.conftest import Fleet
from tests.support import until

DOCUMENT = Path(__file__).parents[2] / "docs" / "boards.md"
PRESENCE = Path(__file__).parents[2] / "models" / "presence"


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with tempfile.TemporaryDirectory(prefix="lamplight-") as home:
        made = Fleet(Path(home) / "lamplight")
        made.start()
        yield made
        made.stop()


@pytest.fixture(scope="module", params=machines.MACHINES, ids=lambda each: each.debian)
def machine(request: pytest.FixtureRequest) -> Machine:
    return request.param


@pytest.fixture(scope="module")
def board(machine: Machine, fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatedBoard]:
    """That board, connected."""
    if os.geteuid() != 0:
        pytest.skip("changing to another root needs root")
    agent = tmp_path_factory.mktemp("agent")
    # Workers are other users.
    agent.chmod(0o755)
    if machine.wheels:
        libraries.from_wheels(machine.wheels, agent)
    else:
        libraries.in_pure_python(agent)
    name = f"{machine.debian}-board"
    with EmulatedBoard(name, machines.root(machine), agent, fleet.mqtt_port) as made:
        made.start(Client(fleet.url).add_device(name, BOARD, str(made.socket)))
        until(lambda: said(fleet, made).get("platform") or made.ended(), f"{name} has reported", 180)
        assert not made.ended(), "the agent has ended"
        yield made


def said(fleet: Fleet, board: EmulatedBoard) -> dict[str, Any]:
    """The board's last REPORTED."""
    return fleet.device(board.name)["reported"] or {}


def documented(machine: Machine, column: str) -> bool:
    """What the table in docs/boards.md says of the machine: yes or no."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in DOCUMENT.read_text().splitlines()]
    (head,) = [row for row in rows if row[0] == "processor"]
    (row,) = [row for row in rows if row[0] == f"{machine.uname} (Debian: {machine.debian})"]
    said = row[head.index(column)]
    assert said in ("yes", "no")
    return said == "yes"


def test_it_is_that_processor_and_says_what_it_can(board: EmulatedBoard, machine: Machine, fleet: Fleet) -> None:
    reported = said(fleet, board)
    assert reported["platform"]["machine"] == machine.uname
    assert reported["ai"] is documented(machine, "models")
    assert reported["patches"] is documented(machine, "patches")


def test_the_night_light_follows_the_light_and_its_inverted_code_inverts_it(
    board: EmulatedBoard, machine: Machine, fleet: Fleet, tmp_path: Path
) -> None:
    assert documented(machine, "night-light")
    folder = tmp_path / "night-light"
    fleet.run("new", "night-light", str(folder))
    fleet.run("deploy", str(folder), "--device", board.name, "--timeout", "240")
    board.world().set(covered=True)
    board.led_becomes(True)
    board.world().set(covered=False)
    board.led_becomes(False)
    code = (folder / "main.py").read_text()
    assert " < " in code
    (folder / "main.py").write_text(code.replace(" < ", " >= "))
    fleet.run("deploy", str(folder), "--device", board.name, "--timeout", "240")
    board.led_becomes(True)


def test_a_function_answers_a_call(board: EmulatedBoard, machine: Machine, fleet: Fleet, tmp_path: Path) -> None:
    assert documented(machine, "functions")
    (tmp_path / "function.toml").write_text('name = "sum"\nhandler = "main:handler"\ntimeout = "20s"\n')
    (tmp_path / "main.py").write_text("def handler(event, context):\n    return sum(event.data)\n")
    fleet.run("deploy", str(tmp_path), "--device", board.name, "--timeout", "240", "--trial-events", "0")
    assert fleet.json("call", f"{board.name}/sum", "--data", "[1, 2, 3]") == 6


def test_a_model_runs_or_is_refused_before_anything_is_sent(
    board: EmulatedBoard, machine: Machine, fleet: Fleet
) -> None:
    before = said(fleet, board)["generation"]
    if documented(machine, "models"):
        fleet.run("deploy", str(PRESENCE), "--device", board.name, "--timeout", "240")
        assert "presence" in said(fleet, board)["models"]
        return
    refused = fleet.run("deploy", str(PRESENCE), "--device", board.name, code=5)
    assert "cannot run ONNX models" in refused.stderr
    assert f"no onnxruntime for {machine.uname}" in refused.stderr
    assert said(fleet, board)["generation"] == before
