"""Patches: they make one artifact from another, as `zstd --patch-from` does. Pure: bytes in, bytes out.

A patch is one zstd frame (RFC 8878) whose raw-content dictionary is the whole base. Memory is bounded: the base, the
result and the window of a patch each have at most MAX_LENGTH bytes, so applying one takes three times as much at most;
a longer artifact always travels whole. A patch is never trusted: its caller knows the length of the result beforehand,
and checks its digest (see update/fetching/patched.py).
"""

from functools import cache
from importlib.util import find_spec

from device.errors import BadArtifactError

# The window recommended for every decoder by RFC 8878, 3.1.1.1.2.
MAX_LENGTH = 8 * 1024 * 1024
# From here on zstd looks for the best match: a three-line change is 88 bytes rather than 183, at a cost of 0.1 s a MB.
_LEVEL = 15
_LEAST_WINDOW_LOG = 10


class BadPatchError(BadArtifactError):
    """An unusable patch. Its artifact can still travel whole."""


@cache
def available() -> bool:
    """Whether the zstandard library is there: for some boards none is ready to install. Looked up once, on the disk."""
    return find_spec("zstandard") is not None


def make(base: bytes, new: bytes) -> bytes:
    """The patch that makes `new` from `base`; both have at most MAX_LENGTH bytes, and the library is available."""
    import zstandard

    parameters = zstandard.ZstdCompressionParameters.from_level(  # pyright: ignore[reportUnknownMemberType]
        _LEVEL,
        source_size=len(new),
        dict_size=len(base),
        # The base must stay within reach up to the last byte of the result.
        window_log=max(_LEAST_WINDOW_LOG, max(len(base), len(new)).bit_length()),
        enable_ldm=True,
        write_content_size=True,
        write_checksum=False,
    )
    dictionary = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return zstandard.ZstdCompressor(compression_params=parameters, dict_data=dictionary).compress(new)


def apply(patch: bytes, base: bytes, length: int) -> bytes:
    """The result of the patch on `base`: exactly `length` bytes. Raises BadPatchError when it fails to make them."""
    # Imported here: most boots apply no patch, and a board without the library must start.
    try:
        import zstandard
    except ImportError as error:
        raise BadPatchError("The zstandard library does not work here", str(error)) from None
    try:
        frame = zstandard.get_frame_parameters(patch)
        _check(frame.content_size, frame.window_size, length)
        dictionary = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
        decompressor = zstandard.ZstdDecompressor(dict_data=dictionary, max_window_size=MAX_LENGTH)
        # It gives at most the length in the frame's header, checked above.
        return decompressor.decompress(patch, allow_extra_data=False)
    except (zstandard.ZstdError, MemoryError) as error:
        raise BadPatchError("The patch cannot be applied", str(error)) from None


def _check(content: int, window: int, length: int) -> None:
    if content != length or length > MAX_LENGTH:
        raise BadPatchError("The patch makes something else", f"{content} bytes rather than {length}")
    if window > MAX_LENGTH:
        raise BadPatchError("The patch takes too much memory", f"a window of {window} bytes; at most {MAX_LENGTH}")
