"""What people put where the model should be."""

import gzip
import pickle

import pytest

from device.errors import BadArtifactError
from device.infer import onnx_file

FILES = {
    "Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
    "web page": b"\n  <!DOCTYPE html>\n<html><body>Not found</body></html>",
    "page or a message": b'{"message": "Not Found"}',
    "message, not a model": b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
    "pickle": pickle.dumps({"coef_": [1.0]}),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(64),
    "zip file": b"PK\x03\x04" + bytes(64),
    "gzip": gzip.compress(b"x"),
    "TensorFlow Lite": b"\x1c\x00\x00\x00TFL3" + bytes(64),
    "empty": b"",
}


@pytest.mark.parametrize("name", FILES)
def test_it_is_called_by_its_name_and_the_way_to_the_model_is_told(name):
    with pytest.raises(BadArtifactError, match=name) as error:
        onnx_file.check(FILES[name])
    assert error.value.remedy


def test_anything_else_is_told_by_its_first_fault():
    with pytest.raises(BadArtifactError, match="no field of a protobuf message"):
        onnx_file.check(b"\xff\x01rubbish")
