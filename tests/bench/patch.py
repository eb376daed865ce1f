"""A three-line change in a bundle of ten files: what travels as a patch, and what it costs to apply it.

The bytes are counted on a whole running home, from what the device says that it fetched; the reference is the length of
the artifact, which is what travels without a patch. Applying is measured on the same patches, on the same disk and in
the same run, in a process of the benchmark's own: the base is packed from its unpacked files and verified, the patch
read and applied, the result verified. Left out is what follows with a whole artifact just the same: unpacking it
durably. The reference for the time is 100 bytes to the broker and back at QoS 1, so that the ratio tells how many
messages' time a patch must save to be worth its work.
"""

from collections.abc import Callable
from pathlib import Path

from device.artifact import archive
from device.artifact import patch as patching
from device.protocol import chunks, topics
from device.protocol.deployment import ArtifactRef, Patch
from device.update.fetching import patched
from device.update.store import Store
from tests.bench import home, mqtt
from tests.bench.figures import Figure, spread
from tests.bench.home import RunningHome
from tests.bench.sampling import in_turn, seconds_each
from tests.support import bundle_of_ten_files, three_lines_changed

# Bytes that the change may take.
_MOST = 1000
_BATCH = 20


def measure(quick: bool) -> list[Figure]:
    """Each round changes the three lines to something else."""
    rounds = 1 if quick else 11
    with home.running() as running:
        base = _pack(running.folder / "base", bundle_of_ten_files())
        _deploy(running, base)
        sent, whole = [], []
        for seed in range(1, rounds + 1):
            new = _pack(running.folder / f"change-{seed}", three_lines_changed(bundle_of_ten_files(), seed))
            sent.append(float(_deploy(running, new)))
            whole.append(float(len(new)))
        apply = _application(running.folder / "store", base, new)
        with mqtt.round_trip(running.broker, topics.of_device("home", "nobody", "ack")) as round_trip:
            applied, bare = in_turn(lambda: seconds_each(apply, _BATCH), round_trip, rounds)
    return [
        Figure("three lines in ten files: travels", "B", spread(sent), spread(whole), "the artifact", _MOST / whole[0]),
        Figure(
            "three lines in ten files: applied",
            "ms",
            spread(applied, 1e3),
            spread(bare, 1e3),
            "MQTT round trip of 100 bytes through the broker",
        ),
    ]


def _pack(folder: Path, files: dict[str, bytes]) -> bytes:
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return archive.pack(folder)


def _deploy(running: RunningHome, bundle: bytes) -> int:
    """Deploy it; gives the bytes that the device fetched."""
    generation = running.deploy(bundle)
    running.wait_committed(generation)
    return running.fetched(generation)


def _application(folder: Path, base: bytes, new: bytes) -> Callable[[], bytes]:
    """What makes `new` from the unpacked `base` and a patch, all of it in a store as the agent's."""
    store = Store(folder)
    made = patching.make(base, new)
    for data in (base, made):
        store.write(chunks.digest(data), 0, data)
    store.unpack(chunks.digest(base))
    patch = Patch("function", "ten-files", 2, chunks.digest(base), chunks.digest(made), len(made), "")
    ref = ArtifactRef("function", "ten-files", 2, chunks.digest(new), len(new), "", (patch,))
    return lambda: patched.patched(ref, patch, store, [patch.digest])
