"""What the store gives back is what was put in, whole, or nothing."""

import errno
import random
import shutil

import pytest

from device import durable
from device.artifact import archive
from device.errors import BadArtifactError, RejectedError
from device.protocol import chunks
from device.update.store import RESERVE, Store
from tests.device.harness import function_files, write

DATA = random.Random(3).randbytes(3 * chunks.CHUNK_SIZE + 5)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "state")


def put(store, data):
    digest = chunks.digest(data)
    for offset in range(0, len(data), chunks.CHUNK_SIZE):
        store.write(digest, offset, data[offset : offset + chunks.CHUNK_SIZE])
    return digest


def listed(data):
    return [chunks.digest(part) for part in chunks.split(data)]


def packed(tmp_path, files=None):
    return archive.pack(write(tmp_path / "source", files or function_files()))


def test_an_index_comes_back_and_survives_a_restart(store, tmp_path):
    digest = put(store, b"data")
    assert Store(tmp_path / "state").read(digest) == b"data"
    assert store.read("0" * 64) is None


def test_an_index_damaged_on_disk_counts_as_missing(store, tmp_path):
    digest = put(store, b"data")
    (tmp_path / "state" / "blobs" / digest).write_bytes(b"rot")
    assert store.read(digest) is None
    put(store, b"data")
    assert store.read(digest) == b"data"


def test_an_artifact_is_whole_when_each_chunk_is_at_its_place_whatever_the_order(store):
    data = DATA
    parts = list(enumerate(chunks.split(data)))
    random.Random(4).shuffle(parts)
    digest, lacking = chunks.digest(data), set(listed(data))
    for number, part in parts:
        assert store.lacking(digest, listed(data)) == lacking
        store.write(digest, number * chunks.CHUNK_SIZE, part)
        lacking.discard(chunks.digest(part))
    assert store.lacking(digest, listed(data)) == set()
    store.verify(digest, len(data), listed(data))


@pytest.mark.parametrize("damage", ["changed", "cut short", "a hole", "gone"])
def test_what_the_disk_lost_of_an_artifact_is_seen_and_no_more(store, tmp_path, damage):
    digest = put(store, DATA)
    path = tmp_path / "state" / "blobs" / digest
    if damage == "gone":
        path.unlink()
    elif damage == "cut short":
        path.write_bytes(DATA[: 2 * chunks.CHUNK_SIZE + 100])
    else:
        with path.open("r+b") as file:
            file.seek(2 * chunks.CHUNK_SIZE)
            file.write(b"rot" if damage == "changed" else bytes(chunks.CHUNK_SIZE))
    every = listed(DATA)
    expected = {"gone": set(every), "cut short": set(every[2:])}.get(damage, {every[2]})
    assert Store(tmp_path / "state").lacking(digest, every) == expected
    with pytest.raises(OSError, match="lost a part"):
        store.verify(digest, len(DATA), every)


def test_chunks_that_are_not_the_signed_artifact_are_refused(store):
    lie = random.Random(5).randbytes(len(DATA))
    digest = chunks.digest(DATA)
    for number, part in enumerate(chunks.split(lie)):
        store.write(digest, number * chunks.CHUNK_SIZE, part)
    with pytest.raises(BadArtifactError, match="not what was signed"):
        store.verify(digest, len(DATA), listed(lie))


def test_an_artifact_of_another_length_than_signed_is_refused(store):
    digest = put(store, b"data")
    store.verify(digest, 4, [digest])
    with pytest.raises(BadArtifactError, match="not what was signed"):
        store.verify(digest, 5, [digest])


def test_a_power_cut_costs_a_few_seconds_of_a_download(tmp_path, monkeypatch):
    now, synced = [0.0], []
    store = Store(tmp_path / "state", lambda: now[0])
    real = durable.disk.sync
    monkeypatch.setattr(durable.disk, "sync", lambda path: (synced.append((now[0], path.name)), real(path)))
    for number in range(8):
        now[0] = 4.0 * number
        store.write("a" * 64, number * chunks.CHUNK_SIZE, bytes(chunks.CHUNK_SIZE))
    files = [each for each in synced if each[1] == "a" * 64]
    assert files == [(12.0, "a" * 64), (28.0, "a" * 64)]
    assert {(12.0, "blobs"), (28.0, "blobs")} <= set(synced)


def test_what_arrives_sooner_than_that_is_not_written_to_the_flash_twice(tmp_path, monkeypatch):
    store = Store(tmp_path / "state", lambda: 0.0)
    store.write("a" * 64, 0, b"")
    synced = []
    monkeypatch.setattr(durable.disk, "sync", synced.append)
    for number in range(500):
        store.write("a" * 64, number * chunks.CHUNK_SIZE, bytes(chunks.CHUNK_SIZE))
    assert not synced


def test_an_artifact_is_unpacked_and_checked(store, tmp_path):
    digest = put(store, packed(tmp_path))
    tree = store.unpack(digest)
    assert tree == store.tree(digest)
    assert store.check(digest)
    assert store.trees() == {digest}


@pytest.mark.parametrize("damage", ["change", "add", "remove", "link"])
def test_a_tree_damaged_on_disk_is_removed(store, tmp_path, damage):
    digest = put(store, packed(tmp_path))
    main = store.unpack(digest) / "main.py"
    if damage == "change":
        main.write_bytes(b"rot")
    elif damage == "add":
        main.with_name("more.py").write_bytes(b"")
    else:
        main.unlink()
        if damage == "link":
            main.symlink_to("/etc/passwd")
    assert not store.check(digest)
    assert store.trees() == set()


def test_an_archive_packed_otherwise_is_refused_for_it_could_not_be_verified_later(store, tmp_path):
    data = packed(tmp_path) + bytes(512)
    digest = put(store, data)
    with pytest.raises(BadArtifactError, match="not packed by Lamplight"):
        store.unpack(digest)
    assert store.trees() == set()


def test_unpacking_again_after_a_kill_works(store, tmp_path):
    digest = put(store, packed(tmp_path))
    (store.unpack(digest) / "main.py").unlink()
    store.unpack(digest)
    assert store.check(digest)


def test_room_is_kept_for_the_system(store, monkeypatch):
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1 << 40, 1 << 40, RESERVE + 3_000_000)
    )
    store.check_room(3_000_000)
    with pytest.raises(RejectedError, match=r"needs 3\.1 MB; of 19\.8 MB free, 16\.8 MB must stay so"):
        store.check_room(3_100_000)


def test_only_what_is_needed_is_kept(store, tmp_path):
    kept, dropped = put(store, packed(tmp_path)), put(store, packed(tmp_path, {"a": b"1"}))
    blob = put(store, b"chunk")
    for digest in (kept, dropped):
        store.unpack(digest)
    store.collect({kept}, {blob})
    assert store.trees() == {kept}
    assert (store.read(kept), store.read(dropped), store.read(blob)) == (None, None, b"chunk")


def test_what_a_kill_left_half_written_is_swept_away(store, tmp_path):
    (tmp_path / "state" / "blobs" / ".tmp-x").write_bytes(b"half")
    (tmp_path / "state" / "trees" / ".tmp-y" / "sub").mkdir(parents=True)
    assert Store(tmp_path / "state").trees() == set()
    assert not list((tmp_path / "state").rglob(".tmp-*"))


def test_a_write_that_fails_leaves_the_old_content(tmp_path, monkeypatch):
    path = tmp_path / "file"
    durable.write_file(path, b"old")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("power cut")))
    with pytest.raises(OSError):
        durable.write_file(path, b"new")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("file", b"old")]


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_a_system_that_is_short_of_files_or_memory_does_not_make_a_tree_damaged(store, tmp_path, monkeypatch, number):
    digest = put(store, packed(tmp_path))
    store.unpack(digest)

    def short(*_):
        raise OSError(number, "short of it")

    with monkeypatch.context() as failing:
        failing.setattr("device.artifact.archive.digest", short)
        with pytest.raises(OSError, match="short of it"):
            store.check(digest)
    assert store.check(digest)
