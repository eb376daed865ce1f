"""A board's report becomes the platform of its packages; an unreadable one becomes nothing."""

import pytest

from cloud_shim.cli.release import target
from cloud_shim.cli.release.target import Platform
from device.errors import OfflineError, RejectedError
from tests import samples


def test_a_board_that_has_not_reported_is_asked_for_nothing():
    for told in (None, samples.reported_value(platform=None)):
        with pytest.raises(OfflineError, match="not reported"):
            target.reported(told)


@pytest.mark.parametrize("python", ["", "three", "3", "3.x", "3.11.2", "3.\u0661", "3." + "9" * 5000])
def test_a_board_whose_python_is_no_version_gets_no_layer(python):
    told = samples.reported_value(platform={"machine": "aarch64", "python": python, "glibc": 41})
    with pytest.raises(RejectedError, match="its Python is"):
        target.reported(told)


@pytest.mark.parametrize("machine", ["../../x", "a/b", "x" * 33, "aarch64\n"])
def test_a_board_whose_processor_is_no_name_gets_no_layer_and_no_file(machine):
    told = samples.reported_value(platform={"machine": machine, "python": "3.13", "glibc": 41})
    with pytest.raises(RejectedError, match="its processor is"):
        target.reported(told)


def test_what_a_board_reports_becomes_its_platform():
    told = samples.reported_value(platform={"machine": "aarch64", "python": "3.13", "glibc": 41})
    assert target.reported(told) == Platform("aarch64", (3, 13), 41)
    tags = Platform("x86_64", (3, 11), 17).tags()
    assert tags[0] == "manylinux_2_17_x86_64" and {"manylinux2014_x86_64", "manylinux1_x86_64", "linux_x86_64"} < set(
        tags
    )


@pytest.mark.parametrize(
    ("full", "whole"), [("3.13.5", "3.13.5"), ("", "3.13.0"), ("3.12.9", "3.13.0"), ("3.13.5'; x", "3.13.0")]
)
def test_the_whole_version_counts_where_it_goes_with_the_other(full, whole):
    told = samples.reported_value(platform={"machine": "aarch64", "python": "3.13", "glibc": 41, "full": full})
    assert target.reported(told).environment()["python_full_version"] == whole
