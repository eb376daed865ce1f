"""A patch makes exactly what it was made for, in bounded memory; nothing else gets past it but an error."""

import random
import subprocess
import sys

import pytest
import zstandard

from device.artifact import archive, patch
from device.artifact.patch import MAX_LENGTH, BadPatchError
from device.errors import BadArtifactError
from tests.device.harness import write
from tests.support import bundle_of_ten_files, three_lines_changed

NOISE = random.Random(1).randbytes(100_000)
BASE, NEW = NOISE, NOISE[:50_000] + b"changed" + NOISE[50_000:]
GOOD = patch.make(BASE, NEW)


@pytest.mark.parametrize(
    ("base", "new"),
    [
        (BASE, NEW),
        (NEW, BASE),
        (b"x", NEW),
        (NEW, b"x"),
        (NOISE, NOISE),
        (b"", NOISE),
        (random.Random(2).randbytes(MAX_LENGTH), random.Random(2).randbytes(MAX_LENGTH)),
        (random.Random(2).randbytes(MAX_LENGTH), random.Random(2).randbytes(MAX_LENGTH)[::-1]),
    ],
    ids=["longer", "shorter", "from-one-byte", "to-one-byte", "same", "from-nothing", "longest", "longest-unlike"],
)
def test_it_makes_the_new_from_the_base(base, new):
    assert patch.apply(patch.make(base, new), base, len(new)) == new


def test_the_end_of_the_longest_base_is_within_reach_of_the_end_of_the_longest_result():
    own, tail = (random.Random(seed).randbytes(MAX_LENGTH // 2) for seed in (3, 4))
    base, new = tail + own, own[::-1] + tail
    made = patch.make(base, new)
    assert len(made) < 0.51 * len(new)
    assert patch.apply(made, base, len(new)) == new


def test_three_lines_in_ten_files_are_less_than_a_kilobyte(tmp_path):
    files = bundle_of_ten_files()
    before = archive.pack(write(tmp_path / "before", files))
    after = archive.pack(write(tmp_path / "after", three_lines_changed(files)))
    assert len(patch.make(before, after)) < 1000 < 40_000 < len(after)


def zeros(length):
    """A frame that makes so many zeros, and says so."""
    return zstandard.ZstdCompressor().compress(bytes(length))


def claiming(frame, length):
    """The frame with another content size written into its header (RFC 8878, 3.1.1.1): one of four bytes."""
    assert frame[4] >> 6 == 2, "the header has a content size of four bytes"
    at = 5 if frame[4] & 0x20 else 6
    return frame[:at] + length.to_bytes(4, "little") + frame[at + 4 :]


def streamed(data, **more):
    """A frame that does not say how long its content is."""
    stream = zstandard.ZstdCompressor(**more).compressobj()
    return stream.compress(data) + stream.flush()


HUGE_WINDOW = zstandard.ZstdCompressionParameters.from_level(1, window_log=27)
SKIPPABLE = b"\x50\x2a\x4d\x18\x04\x00\x00\x00junk"
ATTACKS = {
    "bomb": zeros(64 << 20),
    "bomb that claims the right length": claiming(zeros(64 << 20), len(NEW)),
    "bomb without a length": streamed(bytes(64 << 20)),
    "claims four gigabytes": claiming(zeros(1 << 20), 0xFFFFFFFF),
    "makes less than it claims": claiming(zeros(66_000), len(NEW)),
    "takes a huge window": streamed(NEW, compression_params=HUGE_WINDOW),
    "empty": b"",
    "garbage": NOISE,
    "garbage after the magic number": GOOD[:4] + NOISE,
    "goes on after its end": GOOD + b"more",
    "two frames": GOOD + GOOD,
    "skippable frame": SKIPPABLE,
    "skippable frame first": SKIPPABLE + GOOD,
    "other dictionary": zstandard.ZstdCompressor(
        dict_data=zstandard.train_dictionary(2000, [NOISE[i : i + 200] for i in range(0, 90_000, 200)])
    ).compress(NEW),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_attack_is_refused(attack):
    with pytest.raises(BadPatchError):
        patch.apply(attack, BASE, len(NEW))


def test_truncated_anywhere_is_refused():
    for length in range(len(GOOD)):
        with pytest.raises(BadPatchError):
            patch.apply(GOOD[:length], BASE, len(NEW))


def check_refused_or_other(frame, base):
    """What it makes, if anything, has the right length, and is given away by its digest."""
    try:
        made = patch.apply(frame, base, len(NEW))
    except BadPatchError:
        return
    assert len(made) == len(NEW)
    assert made != NEW


def test_any_byte_damaged_is_refused_or_makes_other_bytes():
    for place in range(len(GOOD)):
        check_refused_or_other(GOOD[:place] + bytes([GOOD[place] ^ 0x55]) + GOOD[place + 1 :], BASE)


def test_another_base_is_refused_or_makes_other_bytes():
    for base in (b"", NOISE[::-1], NOISE[:-1]):
        check_refused_or_other(GOOD, base)


def test_a_result_longer_than_the_limit_is_refused():
    with pytest.raises(BadPatchError):
        patch.apply(zeros(MAX_LENGTH + 1), BASE, MAX_LENGTH + 1)


BOMB = """
import resource, sys
from device.artifact import patch
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    patch.apply(sys.stdin.buffer.read(), b"x" * 1000, int(sys.argv[1]))
except patch.BadPatchError as error:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("claim", [1000, 1 << 28])
def test_bomb_takes_no_memory(claim):
    bomb = zstandard.ZstdCompressor().compress(bytes(1 << 28))
    done = subprocess.run([sys.executable, "-c", BOMB, str(claim)], input=bomb, capture_output=True, check=True)
    assert int(done.stdout) < 32 * 1024  # kilobytes


def test_a_library_that_cannot_be_loaded_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(BadPatchError, match="zstandard"):
        patch.apply(GOOD, BASE, len(NEW))


def test_a_bad_patch_is_a_bad_artifact():
    assert issubclass(BadPatchError, BadArtifactError)
