"""The systems of the images, once for all tests of networks."""

from collections.abc import Iterator

import pytest

from tests.flashing.networks.systems import System


@pytest.fixture(scope="session")
def trixie() -> Iterator[System]:
    """With cloud-init and netplan; its first image had neither, and NetworkManager as it is here."""
    system = System("trixie")
    yield system
    system.close()


@pytest.fixture(scope="session")
def bookworm() -> Iterator[System]:
    system = System("bookworm")
    yield system
    system.close()
