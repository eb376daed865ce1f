"""What was last signed for each device, and the count that it keeps."""

import pytest

from cloud_shim.trust.director_files import DirectorFiles
from device.errors import NotFoundError, RejectedError
from device.protocol.deployment import Deployment


def deployment(generation, device="desk-pi", seconds=0.0):
    return Deployment("home", device, generation, {}, {}, {}, seconds, 0)


@pytest.fixture
def files(tmp_path):
    kept = DirectorFiles(tmp_path / "devices")
    kept.save("desk-pi", {"director": {"targets": "7"}, "deployment": deployment(7).encode().decode()})
    return kept


def test_a_generation_goes_neither_back_nor_on_with_another_content(files):
    files.check(deployment(7))
    files.check(deployment(8))
    files.check(deployment(1, "hall-pi"))
    for refused in (deployment(6), deployment(7, seconds=1.0)):
        with pytest.raises(RejectedError, match="was already given generation 7"):
            files.check(refused)


def test_a_new_device_goes_on_from_another_once_and_from_nothing_where_there_is_nothing(files):
    files.go_on("shelf-pi", "desk-pi")
    assert files.last("shelf-pi") == files.last("desk-pi")
    files.save("desk-pi", {"director": {}, "deployment": deployment(9).encode().decode()})
    files.go_on("shelf-pi", "desk-pi")
    assert files.last("shelf-pi")["director"] == {"targets": "7"}
    files.go_on("attic-pi", "hall-pi")
    assert files.last("attic-pi") is None


def test_only_a_name_is_a_file(files):
    for name in ("../image", "", "a/b"):
        with pytest.raises(NotFoundError):
            files.last(name)
