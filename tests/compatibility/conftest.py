"""One fleet for all tests of a pairing: the previous release's agents with this shim, and the other way round."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compatibility import fleets
from tests.compatibility.fleets import Installed, MixedFleet


@pytest.fixture(scope="session")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return fleets.previous(tmp_path_factory.mktemp("previous"))


@pytest.fixture(scope="module", params=["previous agent, this shim", "this agent, previous shim"])
def fleet(request: pytest.FixtureRequest, previous: Installed) -> Iterator[MixedFleet]:
    this = fleets.this()
    cloud, boards = (this, previous) if request.param.startswith("previous") else (previous, this)
    # A short path: the hardware's socket lies in it.
    with tempfile.TemporaryDirectory(prefix="lamplight-") as folder:
        made = MixedFleet(Path(folder), cloud, boards)
        try:
            made.start()
            yield made
        finally:
            made.stop()
