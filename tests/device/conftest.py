"""A cloud and a device for the tests of this folder."""

import pytest

from tests.device.harness import Cloud, Device


@pytest.fixture
def cloud(tmp_path):
    (tmp_path / "cloud").mkdir()
    return Cloud(tmp_path / "cloud")


@pytest.fixture
def device(tmp_path, cloud):
    made = Device(tmp_path / "device", cloud)
    yield made
    if made.engine:
        made.engine.stop()
