"""A cloud and a device for the tests of this folder."""

import json

import pytest

from device.trust import verifier, verify
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


@pytest.fixture
def verified_here(monkeypatch):
    """Documents are verified in the tests' own process: another one takes half a second to import python-tuf.

    For tests of what is believed; that it happens in a process of its own is for test_verifier.py.
    """

    def run(question, payload, scratch, timeout):
        asked = verify.Question(**json.loads(json.dumps(question._asdict())))
        return verify.answer(asked, payload).encode()

    monkeypatch.setattr(verifier, "_run", run)
