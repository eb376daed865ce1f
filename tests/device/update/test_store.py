"""What the store gives back is what was put in, whole, or nothing."""

import random
import shutil

import pytest

from device.errors import BadArtifactError, RejectedError
from device.protocol import chunks
from device.update import archive, durable
from device.update.store import RESERVE, Store
from tests.device.update.harness import function_files, write


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "state")


def put(store, data):
    digest = chunks.digest(data)
    store.put(digest, data)
    return digest


def packed(tmp_path, files=None):
    return archive.pack(write(tmp_path / "source", files or function_files()))


def test_a_blob_comes_back_and_survives_a_restart(store, tmp_path):
    digest = put(store, b"data")
    assert Store(tmp_path / "state").get(digest) == b"data"
    assert store.get("0" * 64) is None


def test_other_bytes_than_the_digest_says_are_not_kept(store):
    with pytest.raises(BadArtifactError, match="damaged"):
        store.put("0" * 64, b"data")
    assert store.get("0" * 64) is None


def test_a_blob_damaged_on_disk_counts_as_missing(store, tmp_path):
    digest = put(store, b"data")
    (tmp_path / "state" / "blobs" / digest).write_bytes(b"rot")
    assert store.get(digest) is None
    assert not (tmp_path / "state" / "blobs" / digest).exists()


def test_an_artifact_is_assembled_from_its_chunks(store):
    data = random.Random(3).randbytes(3 * chunks.CHUNK_SIZE + 5)
    listed = [put(store, part) for part in chunks.split(data)]
    store.assemble(chunks.digest(data), len(data), listed)
    assert store.get(chunks.digest(data)) == data


@pytest.mark.parametrize("lie", ["order", "length", "missing", "repeated"])
def test_chunks_that_are_not_the_artifact_are_refused(store, tmp_path, lie):
    data = random.Random(3).randbytes(2 * chunks.CHUNK_SIZE + 5)
    listed, length = [put(store, part) for part in chunks.split(data)], len(data)
    if lie == "order":
        listed.reverse()
    elif lie == "length":
        length += 1
    elif lie == "missing":
        listed[1] = "0" * 64
    else:
        listed.append(listed[0])
    with pytest.raises(BadArtifactError, match="cannot be assembled"):
        store.assemble(chunks.digest(data), length, listed)
    assert store.get(chunks.digest(data)) is None
    assert not list((tmp_path / "state" / "blobs").glob(".tmp-*"))


def test_one_chunk_of_another_length_than_signed_is_refused(store):
    digest = put(store, b"data")
    store.assemble(digest, 4, [digest])
    with pytest.raises(BadArtifactError, match="not 5 bytes"):
        store.assemble(digest, 5, [digest])


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
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1 << 40, 1 << 40, RESERVE + 10))
    store.check_room(10)
    with pytest.raises(RejectedError, match="needs 11 bytes"):
        store.check_room(11)


def test_only_what_is_needed_is_kept(store, tmp_path):
    kept, dropped = put(store, packed(tmp_path)), put(store, packed(tmp_path, {"a": b"1"}))
    blob = put(store, b"chunk")
    for digest in (kept, dropped):
        store.unpack(digest)
    store.collect({kept}, {blob})
    assert store.trees() == {kept}
    assert (store.get(kept), store.get(dropped), store.get(blob)) == (None, None, b"chunk")


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
