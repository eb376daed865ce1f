"""Numbering, checking and keeping releases."""

import io
import json
import tarfile

import pytest

from cloud_shim.database import Database
from cloud_shim.releases.blobs import Blobs
from cloud_shim.releases.registry import Registry
from cloud_shim.trust.signing import Signing
from device.artifact import patch
from device.errors import BadArtifactError, NotFoundError
from device.protocol import chunks
from device.protocol.chunks import CHUNK_SIZE
from device.protocol.deployment import Deployment


@pytest.fixture
def make_registry(tmp_path):
    """A registry over the same folder each time, as after a restart."""

    def make() -> Registry:
        return Registry(
            Database(f"sqlite:///{tmp_path / 'shim.db'}"), Blobs(tmp_path / "artifacts"), Signing(tmp_path / "signing")
        )

    return make


@pytest.fixture
def registry(make_registry):
    return make_registry()


def test_releases_are_numbered_for_each_name_and_kind(registry, make_function, make_model):
    added = [
        registry.add(make_function("lamp", "# 1")),
        registry.add(make_function("fan")),
        registry.add(make_function("lamp", "# 2")),
        registry.add(make_model("lamp")),
    ]
    assert [(each.kind, each.name, each.version) for each in added] == [
        ("function", "lamp", 1),
        ("function", "fan", 1),
        ("function", "lamp", 2),
        ("model", "lamp", 1),
    ]
    assert registry.all() == added[::-1]


def test_the_same_bytes_are_the_same_release_even_after_a_restart(registry, make_registry, make_function):
    first = registry.add(make_function("lamp"))
    assert registry.add(make_function("lamp")) == first
    registry.add(make_function("lamp", "# 2"))
    assert make_registry().add(make_function("lamp")) == first
    assert len(registry.all()) == 2


def test_an_artifact_of_several_chunks_comes_apart_and_together(registry, make_model):
    data = make_model(size=3 * CHUNK_SIZE)
    release = registry.add(data)
    index, *parts = registry.chunks({release.sha256})
    assert index.digest == release.index
    assert all(chunks.digest(registry.bytes_of(part)) == part.digest for part in (index, *parts))
    assert [part.digest for part in parts] == chunks.decode_index(registry.bytes_of(index), release.length)
    assert b"".join(registry.bytes_of(part) for part in parts) == data


def test_a_small_artifact_is_its_own_only_chunk(registry, make_function):
    data = make_function()
    release = registry.add(data)
    assert release.index == ""
    assert [registry.bytes_of(chunk) for chunk in registry.chunks({release.sha256})] == [data]


def test_an_unknown_release_is_answered_with_the_known(registry, make_function):
    registry.add(make_function("lamp"))
    with pytest.raises(NotFoundError, match="there are: v1"):
        registry.find("function", "lamp", 2)
    with pytest.raises(NotFoundError, match="none"):
        registry.find("model", "lamp", 1)


def tar(*members: tarfile.TarInfo) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    return data.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, size: int = 1) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size if kind == tarfile.REGTYPE else 0, "/etc/passwd"
    return info


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"junk" * 1000,
        tar(),
        tar(member("main.py")),
        tar(member("../../evil.py")),
        tar(member("/tmp/evil.py")),
        tar(member("function.toml", tarfile.SYMTYPE)),
        tar(member("function.toml")),
    ],
    ids=["empty", "junk", "no-files", "no-manifest", "traversal", "absolute", "link-out", "broken-toml"],
)
def test_bad_artifact_is_refused_and_leaves_nothing(registry, tmp_path, data):
    with pytest.raises(BadArtifactError):
        registry.add(data)
    assert registry.all() == []
    assert not [path for path in (tmp_path / "artifacts").rglob("*") if path.is_file()]


@pytest.mark.parametrize("value", ["1979-05-27", "nan", "inf", "[07:32:00]"])
def test_setting_that_json_cannot_hold_is_refused(registry, make_function, value):
    toml = f'name = "lamp"\nhandler = "main:handler"\n[config]\nbad = {value}\n'
    with pytest.raises(BadArtifactError, match="config"):
        registry.add(make_function(toml=toml))


def test_crash_between_numbering_and_signing_is_healed_by_the_next_try(make_registry, make_function, monkeypatch):
    def crash(*_):
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(Signing, "release", crash)
        make_registry().add(make_function("lamp", "# 1"))
    registry = make_registry()
    assert registry.add(make_function("lamp", "# 2")).version == 2
    assert registry.add(make_function("lamp", "# 1")).version == 1


def patches_of(registry, data):
    return registry.add(data).patches


def test_a_release_carries_patches_from_the_three_before_it(registry, make_function):
    versions = [make_function("lamp", f"# {number}") for number in range(5)]
    made = [patches_of(registry, data) for data in versions]
    assert [len(each) for each in made] == [0, 1, 2, 3, 3]
    assert {patch.base for patch in made[4]} == {chunks.digest(data) for data in versions[1:4]}
    for each in made[4]:
        base = next(data for data in versions if chunks.digest(data) == each.base)
        (chunk,) = registry.chunks({each.digest})
        data = registry.bytes_of(chunk)
        assert (chunks.digest(data), len(data)) == (each.digest, each.length)
        assert patch.apply(data, base, len(versions[4])) == versions[4]


def test_patches_are_between_releases_of_one_kind_and_name(registry, make_function, make_model):
    registry.add(make_function("lamp"))
    assert patches_of(registry, make_function("fan")) == ()
    assert patches_of(registry, make_model("lamp")) == ()


def test_a_patch_that_saves_too_little_is_left_out(registry, make_model):
    registry.add(make_model(size=100_000, seed=1))
    assert patches_of(registry, make_model(size=100_000, seed=2)) == ()


def test_an_artifact_too_long_for_a_board_to_patch_has_no_patch(registry, make_model):
    for number in range(2):
        assert patches_of(registry, make_model(size=patch.MAX_LENGTH, seed=number)) == ()


def test_without_the_library_releases_have_no_patches(registry, make_function, monkeypatch):
    monkeypatch.setattr(patch, "available", lambda: False)
    registry.add(make_function("lamp", "# 1"))
    assert patches_of(registry, make_function("lamp", "# 2")) == ()


def test_patches_are_known_and_signed_after_a_restart(registry, make_registry, make_function):
    registry.add(make_function("lamp", "# 1"))
    before = registry.add(make_function("lamp", "# 2")).ref
    again = make_registry()
    release = again.find("function", "lamp", 2)
    assert release.ref.to_json() == before.to_json()
    again.sign(release)
    deployment = Deployment("home", "pi", 1, {"lamp": release.ref}, {}, {}, 5.0, 3)
    listed = json.loads(json.loads(again._signing.desired(deployment))["director"]["targets"])["signed"]["targets"]
    assert release.patches[0].target in listed


def test_crash_between_numbering_and_signing_leaves_the_patches_to_be_signed_by_the_next_try(
    make_registry, make_function, monkeypatch
):
    def crash(*_):
        raise SystemExit

    make_registry().add(make_function("lamp", "# 1"))
    with monkeypatch.context() as stopped, pytest.raises(SystemExit):
        stopped.setattr(Signing, "release", crash)
        make_registry().add(make_function("lamp", "# 2"))
    registry = make_registry()
    release = registry.add(make_function("lamp", "# 2"))
    assert len(release.patches) == 1
    registry._signing.desired(Deployment("home", "pi", 1, {"lamp": release.ref}, {}, {}, 5.0, 3))
