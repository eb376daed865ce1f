"""What most likely cures an error, judged from the error alone."""

import os

import pytest

from device.runtime.worker.remedies import remedy


def opened(path):
    with pytest.raises(OSError) as failed:
        path.open()
    return failed.value


def test_a_file_that_only_its_owner_may_read_is_told_with_the_right_that_it_lacks(tmp_path):
    (tmp_path / "put").write_text("x")
    (tmp_path / "put").chmod(0o600)
    error = PermissionError(13, "Permission denied", str(tmp_path / "put"))
    if os.geteuid() == 0:
        os.chown(tmp_path / "put", 65534, 65534)
        assert "chmod o+r" in remedy(error, (), network=False)
        (tmp_path / "put").chmod(0o604)
    assert remedy(error, (), network=False) == ""


def test_a_missing_file_is_looked_for_beside_the_code_only_when_its_name_is_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert remedy(opened(tmp_path / "data.csv"), (), network=True) == ""
    assert "beside its code" in remedy(opened(type(tmp_path)("data.csv")), (), network=True)


@pytest.mark.parametrize(
    ("module", "told"),
    [
        ("requests", "write requests into"),
        ("sklearn.cluster", "write scikit-learn into"),
        ("adafruit_bme280", "write adafruit-circuitpython-bme280 into"),
        ("adafruit_display_text.label", "write adafruit-circuitpython-display-text into"),
        ("adafruit_character_lcd.i2c", "write adafruit-circuitpython-charlcd into"),
        ("adafruit_bus_device", "write adafruit-circuitpython-busdevice into"),
        ("dotenv", "write python-dotenv into"),
        ("RPi.GPIO", "context.pins"),
    ],
)
def test_a_missing_module_is_told_with_what_brings_it(module, told):
    error = ModuleNotFoundError(f"No module named {module!r}", name=module)
    assert told in remedy(error, ("main",), network=False)


def test_a_write_beside_the_code_is_told_where_to_write_instead():
    error = OSError(30, "Read-only file system", "/bundle/log.txt")
    assert "scratch folder" in remedy(error, (), network=True)
