"""What a requirements.txt may say, and all that pip would follow, run or fill in and Lamplight refuses."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloud_shim.cli.release import requirements
from device.errors import RejectedError

DIGEST = "a" * 64


def lines(text):
    return [each.line() for each in requirements.parse(text)]


def test_names_versions_extras_markers_comments_and_continuations_are_understood():
    text = "# head\r\nLeaf_Pkg [b,a] >= 1, <2  # why\n\nx==1; python_version >= '3.11'\nlong>=1,\\\n   <2\n#c \\\nlast"
    assert lines(text) == ["leaf-pkg[a,b]<2,>=1", 'x==1 ; python_version >= "3.11"', "long<2,>=1", "last"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_mark_at_the_begin_tells_the_encoding(encoding, tmp_path):
    (tmp_path / "requirements.txt").write_bytes("# für alle\r\nleaf\r\n".encode(encoding))
    assert [each.line() for each in requirements.read(tmp_path / "requirements.txt")] == ["leaf"]


def test_another_encoding_is_refused_with_its_line():
    with pytest.raises(RejectedError, match=r"line 2 is refused.*UTF-8"):
        requirements.decode("leaf\n# für\n".encode("latin-1"))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("-e ./evil", "'-e' is not taken.*copy code of your own"),
        ("--editable=./evil", "'--editable' is not taken"),
        ("-r more.txt", "'-r' is not taken.*Copy the lines"),
        ("-rmore.txt", "is not taken"),
        ("--requirement=more.txt", "Copy the lines"),
        ("-c limits.txt", "Copy the lines"),
        ("--index-url https://evil.example/simple", "'--index-url' is not taken.*pip config set"),
        ("-i https://evil.example/simple", "'-i' is not taken"),
        ("--extra-index-url=https://evil.example", "'--extra-index-url' is not taken"),
        ("--find-links /tmp", "'--find-links' is not taken"),
        ("--trusted-host evil.example", "is not taken"),
        ("--no-binary :all:", "is not taken"),
        ("leaf --global-option=x", "'--global-option' is not taken"),
        ("leaf --config-settings a=b", "is not taken"),
        ("leaf --index-url=https://evil.example", "'--index-url' is not taken"),
        ("leaf --hash=md5:d41d8cd98f00b204e9800998ecf8427e", "is no digest"),
        ("leaf --hash=sha256:short", "is no digest"),
        ("leaf --hash", "is no digest"),
        ("./evil-1.0", "a folder, a file or an address"),
        ("evil-1.0/", "a folder, a file or an address"),
        ("..", "a folder, a file or an address"),
        ("C:\\evil", "a folder, a file or an address"),
        ("/tmp/evil-1.0", "a folder, a file or an address"),
        ("evil-1.0.tar.gz", "is a file"),
        ("evil-1.0-py3-none-any.whl", "is a file"),
        ("evil.ZIP", "is a file"),
        ("file:///tmp/evil", "a folder, a file or an address"),
        ("git+https://evil.example/x.git", "a folder, a file or an address"),
        ("https://evil.example/x.whl", "is a file"),
        ("evil @ file:///tmp/evil-1.0", "is to come from 'file:///tmp/evil-1.0'"),
        ("evil@git+ssh://evil.example/x", "is to come from"),
        ("evil @ https://evil.example/x-1-py3-none-any.whl", "is to come from"),
        ("leaf==${VERSION}", "environment variables are not filled in"),
        ("evil @ https://${TOKEN}@evil.example/x.whl", "environment variables are not filled in"),
        ('leaf; sys_platform == "${HOME}"', "environment variables are not filled in"),
        ('leaf; sys_platform == "x\u2028-e ./evil"', r"character '\\u2028'"),
        ('leaf; sys_platform == "x\x0c-e ./evil"', r"character '\\x0c'"),
        (r'leaf; sys_platform != "x\n--index-url=http://evil.example"', "where pip would read on"),
        (r'leaf; sys_platform != "$\x7bHOME}"', "where pip would read on"),
        (r'leaf; sys_platform != "x\x20-e\x20./evil"', "where pip would read on"),
        ("leaf\0", r"character '\\x00'"),
        ("\u043beaf", "character"),
        ("leaf >= one", "one package a line"),
        ("one two", "one package a line"),
        ("<html>", "one package a line"),
    ],
)
def test_what_pip_would_follow_or_run_is_refused_with_its_line(line, why):
    with pytest.raises(RejectedError, match=f"(?is)requirements.txt, line 3 is refused.*{why}"):
        requirements.parse(f"first\n# comment\n{line}\nlast\n")


def test_a_refused_line_that_is_continued_is_named_by_its_first_line():
    with pytest.raises(RejectedError, match="line 2 is refused"):
        requirements.parse("leaf\n\\\n\\\n-e ./evil\n")


def test_digests_are_for_all_lines_and_single_versions():
    both = f"leaf==1 --hash=sha256:{DIGEST} \\\n  --hash=sha512:{DIGEST * 2}\nx==2 --hash sha256:{DIGEST}"
    assert lines(both) == [
        f"leaf==1 --hash=sha256:{DIGEST} --hash=sha512:{DIGEST * 2}",
        f"x==2 --hash=sha256:{DIGEST}",
    ]
    for text in (f"{both}\nfree==1", f"leaf>=1 --hash=sha256:{DIGEST}", f"leaf==1.* --hash=sha256:{DIGEST}"):
        with pytest.raises(RejectedError, match="names digests for some packages only"):
            requirements.parse(text)


def test_a_file_of_any_length_is_not_read(tmp_path):
    (tmp_path / "requirements.txt").write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(RejectedError, match="too long"):
        requirements.read(tmp_path / "requirements.txt")


@example(b"0_")
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_are_requirements_or_refused_and_never_more_for_pip(data):
    try:
        found = requirements.parse(requirements.decode(data))
    except RejectedError:
        return
    for each in found:
        assert each.line().isascii() and each.line().isprintable() and not each.line().startswith(("-", ".", "/"))
        assert lines(each.line()) == [each.line()]
