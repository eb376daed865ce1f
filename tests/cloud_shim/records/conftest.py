"""A database of its own for each test."""

import pytest

from cloud_shim.database import Database


@pytest.fixture
def database(tmp_path):
    made = Database(f"sqlite:///{tmp_path}/shim.db")
    yield made
    made.close()
