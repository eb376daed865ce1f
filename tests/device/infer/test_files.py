"""The checks that need no onnxruntime."""

import json

import pytest

from device.errors import BadArtifactError
from device.infer import files


def test_a_complete_model_passes_and_gives_its_manifest(folder):
    assert files.check_files(folder).inputs == {"x": [1, 2]}


@pytest.mark.parametrize("name", files.MODEL_FILES)
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(BadArtifactError, match=f"{name} is missing"):
        files.check_files(folder)


@pytest.mark.parametrize("name", files.MODEL_FILES)
def test_a_link_out_of_the_folder_is_refused(folder, tmp_path_factory, name):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / name
    (folder / name).rename(elsewhere)
    (folder / name).symlink_to(elsewhere)
    with pytest.raises(BadArtifactError, match=f"{name} is not a regular file"):
        files.check_files(folder)


def test_a_folder_in_the_place_of_a_file_is_refused(folder):
    (folder / "model.onnx").unlink()
    (folder / "model.onnx").mkdir()
    with pytest.raises(BadArtifactError, match=r"model\.onnx is not a regular file"):
        files.check_files(folder)


def test_an_oversize_model_is_refused_before_it_is_read(folder):
    with (folder / "model.onnx").open("wb") as file:
        file.truncate(100 * 2**30)
    with pytest.raises(BadArtifactError, match="at most"):
        files.check_files(folder)


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        'name = "double"',
        'name = "double"\nlatnecy = "1s"\n[inputs]\nx = [1, 2]',
        'name = "double"\n[inputs]\nx = [1, -2]',
        'name = "../double"\n[inputs]\nx = [1, 2]',
        "\x00",
        "a = " + "[" * 10_000,
    ],
)
def test_a_malformed_manifest_is_refused(put, text):
    with pytest.raises(BadArtifactError, match=r"model\.toml"):
        files.check_files(put(manifest=text))


def test_a_manifest_that_is_no_text_is_refused(folder):
    (folder / "model.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadArtifactError, match=r"model\.toml"):
        files.check_files(folder)


def test_golden_vectors_of_another_shape_are_refused(put):
    vectors = {"vectors": [{"inputs": {"x": [1.0, 2.0]}, "outputs": {"y": [[2.0, 4.0]]}}]}
    with pytest.raises(BadArtifactError, match=r"shape \[2\]; model.toml says \[1, 2\]"):
        files.check_files(put(golden=vectors))


def test_what_is_no_onnx_is_refused(folder):
    (folder / "model.onnx").write_text(json.dumps({"model": "double"}))
    with pytest.raises(BadArtifactError, match="not an ONNX model"):
        files.check_files(folder)
