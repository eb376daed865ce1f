"""One virtual board for all tests of this folder: its card made and its first boot done once, as a person would.

A test that fails costs the next one its board: what it left behind is nobody's to rely on. What each of its starts said
on the console, the system's journal among it, is then kept in `board-logs/`. Those of `installing` have boards of their
own, and do not use the shared one.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.board.board import NAME, PATIENCE, Board
from tests.support import until

LOGS = Path(__file__).parents[2] / "board-logs"
_FAILED = pytest.StashKey[bool]()


class Shared:
    """The board that is handed from test to test; made when one is asked for and there is none.

    `cut` is its card as it was while its first boot installed the agent.
    """

    cut: Path

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._board: Board | None = None

    def lend(self) -> Board:
        """The board, on and online."""
        if self._board is None:
            self._folder = tempfile.TemporaryDirectory(prefix="lamplight-board-")
            self._board = Board(Path(self._folder.name)).__enter__()
            self._first_boot(self._board)
        return self._board

    def _first_boot(self, board: Board) -> None:
        board.power_on()
        until(lambda: "the agent is unpacked" in board.emulator.console, "the agent is being installed", PATIENCE)
        self.cut = board.folder / "cut.img"
        board.copy_card(self.cut)
        board.comes_online()

    def throw_away(self) -> None:
        """End it; the next to ask gets another."""
        board, self._board = self._board, None
        if board is not None:
            board.__exit__()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


@pytest.fixture(scope="session")
def shared() -> Iterator[Shared]:
    """The holder of the board; the board is thrown away at the end."""
    holder = Shared()
    yield holder
    holder.throw_away()


@pytest.fixture
def board(shared: Shared, request: pytest.FixtureRequest) -> Iterator[Board]:
    """A board that is on and online, in a bright room; a test that switches it off switches it on again."""
    try:
        yield shared.lend()
    finally:
        if request.node.stash.get(_FAILED, True):
            # Here too: a board that never came online is gone before there is a report.
            print(*(keep(folder, request.node.name) for folder in _folders()), sep="\n")
            shared.throw_away()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Note whether a test failed; keep what its board said, whichever fixture made that."""
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    if report.failed:
        for folder in _folders():
            report.sections.append(("what the board said", keep(folder, item.name)))
    return report


def _folders() -> list[Path]:
    """Of the boards that this process has made and not yet ended."""
    return [board.folder for board in Board.made]


def keep(folder: Path, test: str) -> str:
    """Copy the consoles of a board's starts to LOGS; the end of the last, and where they are, for the report."""
    to = LOGS / re.sub(r"[^\w-]+", "-", test).strip("-")
    to.mkdir(parents=True, exist_ok=True)
    logs = sorted(folder.glob("*.log"), key=lambda each: each.stat().st_mtime)
    for log in logs:
        shutil.copy(log, to / log.name)
    end = logs[-1].read_text("utf-8", "replace")[-4000:] if logs else ""
    return f"{len(logs)} logs are in {to}\n{end}"


@pytest.fixture
def night_light(board: Board, tmp_path: Path) -> Path:
    """The starter, deployed and running, in a bright room."""
    folder = tmp_path / "night-light"
    board.home.run("new", "night-light", str(folder))
    board.sensor.lux, board.sensor.plugged = 320.0, True
    deploy(board, folder)
    return folder


def deploy(board: Board, folder: Path) -> None:
    """Deploy, and wait until the board has kept it."""
    board.home.run("deploy", str(folder), "--device", NAME, "--timeout", "600")
