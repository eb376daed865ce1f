"""Tells what a file is that lies where an ONNX model should, by its first bytes; and what to do instead. Pure."""

from typing import NamedTuple


class Other(NamedTuple):
    """What the file is, for a person, and the way to the model."""

    what: str
    remedy: str


_PICKLE = Other("a pickle", "Export the model: skl2onnx.to_onnx, or torch.onnx.export")
# The beginnings of: pointers of Git LFS (its specification, "The Pointer"), pages, pickles of protocol 2 and up, HDF5,
# zip (PyTorch's .pt, Keras's .keras), gzip and 7z. TensorFlow Lite names itself four bytes later.
_BEGINNINGS = (
    (b"version https://git-lfs", Other("a pointer of Git LFS", "Fetch the file itself: git lfs pull")),
    *((bytes((0x80, protocol)), _PICKLE) for protocol in range(2, 6)),
    (b"\x89HDF", Other("a Keras model in HDF5", "Export it: tf2onnx.convert, or model.export(…, format='onnx')")),
    (b"PK\x03\x04", Other("a zip file, as PyTorch and Keras write them", "Export the model: torch.onnx.export")),
    (b"\x1f\x8b", Other("compressed by gzip", "Unpack it: gunzip")),
    (b"7z\xbc\xaf", Other("a 7z archive", "Unpack it")),
)
_PAGES = (b"<!doctype", b"<html", b"<?xml", b"{")
_PAGE = Other("a web page or a message, not a model", "Download the file itself: its 'raw' or 'download' link")
_TFLITE = Other("a TensorFlow Lite model", "Convert it: python -m tf2onnx.convert --tflite")
_NOTHING = Other("empty", "Copy the model again: the transfer or the export did not end")


def known(data: bytes) -> Other | None:
    """What it is, when it is no ONNX model but a known other thing."""
    if not data:
        return _NOTHING
    if data[4:8] == b"TFL3":
        return _TFLITE
    if data[:64].lstrip().lower().startswith(_PAGES):
        return _PAGE
    return next((other for beginning, other in _BEGINNINGS if data.startswith(beginning)), None)
