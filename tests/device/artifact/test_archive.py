"""Packing is deterministic; unpacking refuses every archive that could do harm."""

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.artifact import archive
from device.errors import BadArtifactError, NotFoundError


def write(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def tar_of(*members, tar_format=tarfile.USTAR_FORMAT):
    """A tar of (name, data) or TarInfo members, as an attacker would make it."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tar_format) as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                tar.addfile(info, io.BytesIO(member[1]))
    return data.getvalue()


def recorded(**records):
    info = tarfile.TarInfo("named")
    info.pax_headers = records
    return info


def paxed(record):
    """A file after a PAX record of these bytes."""
    info = tarfile.TarInfo("././@PaxHeader")
    info.type, info.size = tarfile.XHDTYPE, len(record)
    padded = record + bytes(-len(record) % 512)
    return info.tobuf(tarfile.USTAR_FORMAT) + padded + tar_of(("a", b"1"))


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


parts = st.from_regex(r"[a-z0-9_][a-z0-9._-]{0,8}", fullmatch=True).filter(lambda part: not part.endswith(".pyc"))
trees = st.dictionaries(
    st.lists(parts, min_size=1, max_size=3).map("/".join), st.binary(max_size=2000), min_size=1, max_size=8
).filter(lambda files: not any(a != b and b.startswith(a + "/") for a in files for b in files))


@given(files=trees, data=st.data())
def test_a_tree_comes_back_as_it_was_and_its_digest_depends_on_nothing_else(files, data, tmp_path_factory):
    here, there = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("there")
    write(here, files)
    write(there, dict(data.draw(st.permutations(list(files.items())))))
    for path in there.rglob("*"):
        os.utime(path, (1, 1))
        if path.is_file():
            path.chmod(data.draw(st.sampled_from([0o600, 0o644, 0o666])))
    packed = archive.pack(here)
    assert archive.pack(there) == packed
    archive.unpack(packed, here / "again")
    assert {
        p.relative_to(here / "again").as_posix(): p.read_bytes() for p in (here / "again").rglob("*") if p.is_file()
    } == files
    assert archive.pack(here / "again") == packed
    assert archive.digest(here / "again") == hashlib.sha256(packed).hexdigest()


def test_line_ends_and_umask_do_not_change_a_byte(tmp_path):
    folder = write(tmp_path / "a", {"main.py": b"x = 1\r\ny = 2\n"})
    packed = archive.pack(folder)
    before = os.umask(0o077)
    try:
        archive.unpack(packed, tmp_path / "b")
    finally:
        os.umask(before)
    assert (tmp_path / "b" / "main.py").read_bytes() == b"x = 1\r\ny = 2\n"
    assert [p.stat().st_mode & 0o777 for p in (tmp_path / "b", tmp_path / "b/main.py")] == [0o755, 0o644]
    assert archive.pack(tmp_path / "b") == packed


def test_any_tar_reads_what_was_packed(tmp_path):
    packed = archive.pack(write(tmp_path, {"function.toml": b"name", "lib/util.py": b"x"}))
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        assert tar.getnames() == ["function.toml", "lib/util.py"]
    assert subprocess.run(["tar", "-t"], input=packed, capture_output=True, check=True).stdout.split() == [
        b"function.toml",
        b"lib/util.py",
    ]


def test_caches_hidden_files_and_tests_stay_out(tmp_path):
    write(tmp_path, {"main.py": b"1", "__pycache__/main.pyc": b"2", "old.pyc": b"3", ".git/config": b"4", ".env": b"5"})
    write(tmp_path, {"tests/test_main.py": b"6", "tests/dark.jsonl": b"7"})
    archive.unpack(archive.pack(tmp_path), tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").rglob("*")] == ["main.py"]


def test_only_the_named_files_are_packed(tmp_path):
    write(tmp_path, {"model.onnx": b"1", "model.toml": b"2", "train.py": b"3"})
    archive.unpack(archive.pack(tmp_path, only=("model.toml", "model.onnx")), tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["model.onnx", "model.toml"]


def test_packing_a_missing_folder_or_file_says_which(tmp_path):
    with pytest.raises(NotFoundError, match="nowhere"):
        archive.pack(tmp_path / "nowhere")
    with pytest.raises(BadArtifactError, match=r"golden\.json is missing"):
        archive.pack(tmp_path, only=("golden.json",))


def test_packing_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(BadArtifactError, match="nothing to pack"):
        archive.pack(tmp_path)


def test_packing_a_link_is_refused(tmp_path):
    (tmp_path / "main.py").symlink_to("/etc/passwd")
    with pytest.raises(BadArtifactError, match=r"main\.py cannot be packed"):
        archive.pack(tmp_path)


def test_packing_a_pipe_is_refused_and_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadArtifactError, match="pipe cannot be packed"):
        archive.pack(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        *("a\\b", "a\nb", "d/" * 511 + "ab.c", "-rf", "~root", " a", "a\x7fb", "a:b", "a?", "\u0301a"),
        # Invisible, or turning what is shown around; not assigned; private.
        *("a\u202etxt.exe", "a\u200b", "\u200da", "a\ufeff", "a\u0378", "a\ue000"),
    ],
)
def test_packing_a_name_that_is_not_the_same_everywhere_is_refused(tmp_path, name):
    write(tmp_path, {name: b""})
    with pytest.raises(BadArtifactError, match="file name"):
        archive.pack(tmp_path)


# German, Czech, Vietnamese, Greek, Russian, Arabic, Hebrew, Hindi, Thai, Korean, Japanese, Chinese, Persian (with its
# non-joiner), an emoji of several characters, macOS' narrow space, a wheel's brackets.
NAMES = [
    *("größe.txt", "příliš žluťoučký.py", "Đặng.csv", "μέτρηση.py", "Настройки/свет.toml", "ضوء.txt", "אור.txt"),
    *("प्रकाश.txt", "แสง.txt", "조명/밝기.json", "照明/ライト.py", "灯光.csv", "می\u200cخواهم.txt", "👩\u200d🔬.txt"),
    *("Bild\u202f10.00.png", "全角\u3000空白.txt", "script (dev).tmpl", "[id]/+page.svelte", "x" * 90 + "/" + "ü" * 50),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stored", ["NFC", "NFD"])
def test_a_name_in_any_language_travels_in_one_spelling(tmp_path, name, stored):
    packed = archive.pack(write(tmp_path / "a", {unicodedata.normalize(stored, name): b"1", "main.py": b"2"}))
    assert packed == archive.pack(write(tmp_path / "b", {unicodedata.normalize("NFC", name): b"1", "main.py": b"2"}))
    assert archive.unpack(packed, tmp_path / "out")
    assert (tmp_path / "out" / unicodedata.normalize("NFC", name)).read_bytes() == b"1"
    assert archive.digest(tmp_path / "a") == archive.digest(tmp_path / "out") == hashlib.sha256(packed).hexdigest()
    listed = subprocess.run(["tar", "-t", "--quoting-style=literal"], input=packed, capture_output=True, check=True)
    assert unicodedata.normalize("NFC", name) in listed.stdout.decode().split("\n")


@settings(deadline=None)
@given(st.text(min_size=1, max_size=40).filter(lambda name: "/" not in name and name not in (".", "..")))
def test_any_name_travels_and_comes_back_or_is_refused(name):
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        try:
            write(here / "a", {name: b"1"})
        except (OSError, ValueError):
            return
        try:
            packed = archive.pack(here / "a")
        except BadArtifactError as error:
            str(error).encode()
            return
        assert archive.unpack(packed, here / "b")
        assert archive.pack(here / "b") == packed


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        ("ü.txt", "u\u0308.txt", "differ only in how their accents"),
        ("Ü.txt", "ü.txt", "capitals do not count"),
        ("Ü.txt", "u\u0308.txt", "capitals do not count"),
        ("ΣΑΣ.py", "σας.py", "capitals do not count"),
        ("Größe/a", "größe/b", "capitals do not count"),
    ],
)
def test_two_names_that_are_one_somewhere_are_refused(tmp_path, one, other, says):
    write(tmp_path, {one: b"1", other: b"2"})
    with pytest.raises(BadArtifactError, match=says):
        archive.pack(tmp_path)


ATTACKS = {
    "absolute path": (tar_of(("/etc/passwd", b"x")), "leads out"),
    "parent path": (tar_of(("../../x", b"x")), "leads out"),
    "parent path in the middle": (tar_of(("a/../../x", b"x")), "leads out"),
    "dot path": (tar_of(("./x", b"x")), "cannot be sent"),
    "hidden file": (tar_of((".profile", b"x")), "cannot be sent"),
    "empty part": (tar_of(("a//x", b"x")), "cannot be sent"),
    "symlink": (tar_of(special("a", tarfile.SYMTYPE, "/etc")), "a link"),
    "symlink and a file through it": (tar_of(special("a", tarfile.SYMTYPE, "/tmp"), ("a/x", b"x")), "a link"),
    "hard link": (tar_of(special("a", tarfile.LNKTYPE, "/etc/passwd")), "a link"),
    "character device": (tar_of(special("null", tarfile.CHRTYPE)), "only plain files"),
    "block device": (tar_of(special("sda", tarfile.BLKTYPE)), "only plain files"),
    "pipe": (tar_of(special("pipe", tarfile.FIFOTYPE)), "only plain files"),
    "contiguous file": (tar_of(special("a", tarfile.CONTTYPE)), "only plain files"),
    "accents stored apart": (tar_of(("u\u0308", b"x")), "stored apart"),
    "turned around": (tar_of(("a\u202egpj.exe", b"x")), "cannot be sent"),
    "other case, other language": (tar_of(("Ä", b"1"), ("ä", b"2")), "one name"),
    "Latin-1": (tar_of(("abc", b"x")).replace(b"abc", b"a\xfcc", 1), "damaged"),
    "duplicate": (tar_of(("a", b"1"), ("a", b"2")), "twice"),
    "duplicate in other case": (tar_of(("main.py", b"1"), ("Main.py", b"2")), "one name"),
    "folder in other case": (tar_of(("lib/a", b"1"), ("Lib/b", b"2")), "one name"),
    "file and folder in other case": (tar_of(("lib", b"1"), ("Lib/b", b"2")), "one name"),
    "file as folder": (tar_of(("a", b"1"), ("a/b", b"2")), "twice"),
    "GNU long name": (tar_of(("x" * 300, b"1"), tar_format=tarfile.GNU_FORMAT), "only plain files"),
    "PAX times": (tar_of(recorded(mtime="1.5"), tar_format=tarfile.PAX_FORMAT), "more than a file's name"),
    "PAX size": (tar_of(recorded(size="9"), tar_format=tarfile.PAX_FORMAT), "more than a file's name"),
    "PAX link": (tar_of(recorded(linkpath="/etc"), tar_format=tarfile.PAX_FORMAT), "more than a file's name"),
    "PAX for all": (tar_of(special("x", tarfile.XGLTYPE)), "only plain files"),
    "PAX name outside": (tar_of(recorded(path="../" + "x" * 200), tar_format=tarfile.PAX_FORMAT), "leads out"),
    "PAX name that is none": (tar_of(("x" * 300, b"1"), tar_format=tarfile.PAX_FORMAT), "is too long"),
    "PAX record cut short": (tar_of(("x" * 200, b"1"), tar_format=tarfile.PAX_FORMAT)[:700], "is no tar"),
    "PAX for a link": (tar_of(special("x" * 200, tarfile.SYMTYPE, "/etc"), tar_format=tarfile.PAX_FORMAT), "a link"),
    "PAX without a length": (paxed(b"path=x\n"), "more than a file's name"),
    "PAX with a wrong length": (paxed(b"99 path=x\n"), "more than a file's name"),
    "PAX with two records": (paxed(b"11 path=ab\n11 path=cd\n"), "more than a file's name"),
    "PAX of any length": (paxed(b"x" * 4000), "record has 4000"),
    "a package's name outside": (tar_of(("layer.toml", b""), ("site/../../x", b"1")), "leads out"),
    "a package's name from the root": (tar_of(("layer.toml", b""), ("site/a//b", b"1")), "not the same on every"),
    "a package's name that no eye sees": (tar_of(("layer.toml", b""), ("site/a\nb", b"1")), "not the same on every"),
    "a hidden file in what is no layer": (tar_of(("function.toml", b""), ("site/.a", b"1")), "not the same on every"),
    "not a tar": (b"PK\x03\x04" + bytes(range(256)) * 8, "is no tar"),
    "nothing": (b"", "is no tar"),
    "no members": (tar_of(), "is empty"),
    "compressed bomb": (b"\x1f\x8b\x08" + bytes(2000), "is no tar"),
    "data after the end": (tar_of(("a", b"1")) + b"hidden", "goes on"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_unpacking_refuses(attack, tmp_path):
    data, words = ATTACKS[attack]
    with pytest.raises(BadArtifactError, match=words):
        archive.unpack(data, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def header(**fields):
    info = tarfile.TarInfo("big")
    for key, value in fields.items():
        setattr(info, key, value)
    return info


def test_unpacking_refuses_a_sparse_bomb(tmp_path):
    bomb = header(type=tarfile.GNUTYPE_SPARSE, size=1 << 40).tobuf(tarfile.GNU_FORMAT)
    with pytest.raises(BadArtifactError):
        archive.unpack(bomb + bytes(10240), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [1 << 40, -512])
def test_unpacking_refuses_an_impossible_size(size, tmp_path):
    with pytest.raises(BadArtifactError):
        archive.unpack(header(size=size).tobuf(tarfile.GNU_FORMAT) + bytes(10240), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_unpacking_refuses_too_many_files(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_FILES", 3)
    with pytest.raises(BadArtifactError, match="more than 3"):
        archive.unpack(tar_of(*((f"f{number}", b"") for number in range(4))), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x" * 101, "ü" * 120, "x" * 255, "deep/" * 60 + "x", "f/" + "y" * 200 + "/z"])
def test_a_name_of_any_length_travels(tmp_path, name):
    packed = archive.pack(write(tmp_path / "a", {name: b"1", "main.py": b"2"}))
    assert archive.unpack(packed, tmp_path / "out") and (tmp_path / "out" / name).read_bytes() == b"1"
    assert archive.digest(tmp_path / "out") == hashlib.sha256(packed).hexdigest()
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        assert sorted(tar.getnames()) == sorted([name, "main.py"])
    assert archive.form(packed) == archive.FORMAT
    with pytest.raises(BadArtifactError, match=r"too long.*lamplight upgrade"):
        archive.pack(tmp_path / "a", plain=True)


def test_a_program_stays_one_and_nothing_else_of_a_mode_travels(tmp_path):
    folder = write(tmp_path / "a", {"tool.sh": b"#!/bin/sh\n", "main.py": b""})
    (folder / "tool.sh").chmod(0o4711)
    (folder / "main.py").chmod(0o606)
    packed = archive.pack(folder)
    assert (archive.form(packed), archive.form(archive.pack(folder, plain=True))) == (archive.FORMAT, 1)
    assert archive.unpack(packed, tmp_path / "out")
    modes = {path.name: path.stat().st_mode & 0o7777 for path in (tmp_path / "out").iterdir()}
    assert modes == {"tool.sh": 0o755, "main.py": 0o644}
    assert archive.digest(tmp_path / "out") == hashlib.sha256(packed).hexdigest()
    (tmp_path / "out" / "tool.sh").chmod(0o644)
    assert archive.digest(tmp_path / "out") != hashlib.sha256(packed).hexdigest()
    with tarfile.open(fileobj=io.BytesIO(archive.pack(folder, plain=True))) as tar:
        assert {member.mode for member in tar} == {0o644}


# Of the bytes that the agents before 0.2 made of these files: what lies on boards has such digests.
FIRST_FORM = "a30bccdc9a72199e9bbcdcbee8457ca5e0bfa501656a0326c25e5ab601080c6a"


def test_an_archive_without_programs_and_long_names_is_as_it_ever_was(tmp_path):
    folder = write(tmp_path / "a", {"function.toml": b'name = "x"\n', "lib/util.py": b"x" * 1000, "ü (1).txt": b""})
    assert hashlib.sha256(archive.pack(folder)).hexdigest() == FIRST_FORM
    assert archive.pack(folder, plain=True) == archive.pack(folder) and archive.form(archive.pack(folder)) == 1


@given(cut=st.integers(0, 2000))
def test_an_archive_cut_short_is_refused_or_whole(cut, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cut")
    packed = archive.pack(write(folder / "in", {"a.py": b"x" * 700}))
    # The file ends at 512 + 700 bytes; what follows is padding and the end mark.
    try:
        archive.unpack(packed[:cut], folder / "out")
    except BadArtifactError:
        assert not (folder / "out").exists()
    else:
        assert (folder / "out/a.py").read_bytes() == b"x" * 700


@given(noise=st.binary(max_size=3000))
def test_noise_is_refused_without_a_trace(noise, tmp_path_factory):
    folder = tmp_path_factory.mktemp("noise")
    with pytest.raises(BadArtifactError):
        archive.unpack(noise, folder / "out")
    assert list(folder.iterdir()) == []
    shutil.rmtree(folder)


@given(files=trees)
def test_what_packing_makes_is_known_as_such(files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ours")
    assert archive.unpack(archive.pack(write(folder / "in", files)), folder / "out")


def padded(data, place, value):
    changed = bytearray(data)
    changed[place] = value
    return bytes(changed)


TWO = tar_of(("a", b"1"), ("b", b"2"))
OTHERS = {
    "another mode": tar_of(header(size=0, mode=0o600)),
    "a mode with more than the x bit": tar_of(header(size=0, mode=0o4755)),
    "a record for a short name": tar_of(recorded(path="é"), tar_format=tarfile.PAX_FORMAT),
    "another time": tar_of(header(size=0, mtime=1)),
    "an owner": tar_of(header(size=0, uname="root")),
    "another order": tar_of(("b", b"2"), ("a", b"1")),
    "a folder": tar_of(special("lib/", tarfile.DIRTYPE), ("lib/a", b"1")),
    "a cache": tar_of(("a.pyc", b"1"), ("b", b"2")),
    "a test": tar_of(("a", b"1"), ("tests/b", b"2")),
    "something in the padding": padded(TWO, 900, 1),
    "a longer end": TWO + bytes(512),
    "a shorter end": TWO[:-512],
}


@pytest.mark.parametrize("how", OTHERS)
def test_what_packing_does_not_make_is_known_as_such(how, tmp_path):
    assert archive.unpack(TWO, tmp_path / "ours")
    assert not archive.unpack(OTHERS[how], tmp_path / "out")


def test_unpacking_leaves_an_existing_folder_alone_when_it_fails(tmp_path):
    write(tmp_path / "out", {"kept": b"1"})
    with pytest.raises(OSError):
        archive.unpack(tar_of(("a", b"1")), tmp_path / "out")
    assert [p.name for p in tmp_path.rglob("*")] == ["out", "kept"]


def test_an_archive_can_be_unpacked_from_a_file(tmp_path):
    packed = tmp_path / "bundle.tar"
    packed.write_bytes(tar_of(("a", b"1"), special("folder/", tarfile.DIRTYPE)))
    archive.unpack(Path(packed), tmp_path / "out")
    assert (tmp_path / "out/a").read_bytes() == b"1"
    assert (tmp_path / "out/folder").is_dir()
