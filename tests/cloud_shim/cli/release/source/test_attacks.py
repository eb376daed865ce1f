"""A package's own code against the machine that builds it, and its files against the reader: nothing gets out."""

import contextlib
import hashlib
import os
import socket
import tarfile
import tempfile
import time
from pathlib import Path

import pytest

from cloud_shim.cli.release import pip_process
from cloud_shim.cli.release.source import chamber
from cloud_shim.cli.release.source.builder import Builder
from cloud_shim.cli.release.source.sdist import Sdist
from cloud_shim.cli.release.wheels import Source, Target
from device.errors import RejectedError
from tests.cloud_shim.cli.release.source.conftest import BOARD
from tests.sources import add, sdist

pytestmark = pytest.mark.usefixtures("sandbox")


@pytest.fixture
def build(tmp_path, index):
    """Builds the source distribution in the index, as a deployment does once it has it."""

    def run():
        path = next(index.iterdir())
        target = Target("requirements.txt", "a board", BOARD.platform)
        work = Path(tempfile.mkdtemp(dir=tmp_path))
        builder = Builder(target, work, pip_process.prepared(), lambda _line: None)
        name = path.name.partition("-")[0]
        return builder.build(Sdist(name, "1.0", Source(path.name, hashlib.sha256(path.read_bytes()).hexdigest()), path))

    return run


def refused(build, says=""):
    with pytest.raises(RejectedError, match=f"(?s){says}") as told:
        build()
    return str(told.value)


@pytest.fixture
def ssh(tmp_path):
    """A person's secret, which any of his programs can read."""
    file = tmp_path / "ssh" / "id"
    file.parent.mkdir()
    file.write_text("SECRET")
    return file


@pytest.mark.parametrize(
    "attack",
    [
        "print('got', open({ssh!r}).read())",
        "print('got', os.listdir(os.path.dirname({ssh!r})))",
        "print('got', open('/proc/%d/environ' % {pid}).read())",
        "print('got', os.listdir('/proc/%d/root{folder}' % {pid}))",
        "os.kill({pid}, 0); print('got it')",
        "import ctypes; assert ctypes.CDLL(None).unshare(0x10000000) == 0; print('got it')",
        "os.setsid(); print('got it')",
        "os.setpgid(0, 0); print('got it')",
    ],
    ids=["read", "list", "environment", "another root", "signal", "namespace", "session", "group"],
)
def test_the_persons_files_and_processes_are_out_of_reach(index, build, tmp_path, ssh, attack):
    evil = attack.format(ssh=str(ssh), folder=str(tmp_path), pid=os.getpid())
    code = f"import os\n{evil}"
    sdist(index, "evil", body=code)
    said = refused(build, "evil 1.0 was not built.*Error")
    assert "SECRET" not in said and "got it" not in said.replace("print('got it')", "")


def test_nothing_is_written_outside(index, build, ssh):
    sdist(index, "evil", body=f"import os\nfor each in ('w', 'a'): open({str(ssh)!r}, each).write('planted')")
    refused(build, "evil 1.0 was not built.*Error")
    sdist(index, "evil", body=f"import os\nos.makedirs({str(ssh.parent)!r}, exist_ok=True)\nopen({str(ssh)!r}, 'w')")
    # Where /tmp is the build's own, it may make a folder of the same name there.
    with contextlib.suppress(RejectedError):
        build()
    assert ssh.read_text() == "SECRET" and [*ssh.parent.iterdir()] == [ssh]


@pytest.mark.parametrize("kind", ["tcp", "unix", "abstract"])
def test_the_network_and_the_persons_sockets_are_out_of_reach(index, build, tmp_path, kind):
    address = {"tcp": ("127.0.0.1", 0), "unix": str(tmp_path / "agent"), "abstract": f"\0lamplight-{os.getpid()}"}[kind]
    family = socket.AF_INET if kind == "tcp" else socket.AF_UNIX
    with socket.socket(family) as server:
        server.bind(address)
        server.listen()
        server.setblocking(False)
        if kind == "unix":
            Path(address).chmod(0o777)
        name = f"socket.{family.name}"
        sdist(index, "evil", body=f"import socket\nsocket.socket({name}).connect({server.getsockname()!r})")
        refused(build, "evil 1.0 was not built.*Error")
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize(
    "attack",
    [
        "import time\nwhile True: time.sleep(9)",
        "while True: pass",
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
        "import os, time\nif os.fork(): time.sleep(999)\nos.close(1); os.close(2); time.sleep(999)",
    ],
    ids=["sleeps", "computes", "forks", "closes"],
)
def test_a_build_without_an_end_is_ended_with_all_its_processes(index, build, monkeypatch, attack):
    monkeypatch.setattr(chamber, "SECONDS", 3)
    sdist(index, "evil", body=attack)
    refused(build, "evil 1.0 was not built.*took longer than 3 s")
    wait_until_gone()


def test_a_process_left_behind_ends_with_the_build(index, build):
    sdist(index, "evil", "VALUE = 1\n", body="import os, time\nif not os.fork(): time.sleep(999)")
    assert build()
    wait_until_gone()


def wait_until_gone():
    """No process with an order of a build is left; one that is being ended may show for a moment."""
    for _ in range(100):
        found = [
            each
            for each in Path("/proc").glob("[0-9]*/cmdline")
            if b'"build' in read(each) or b"build_wheel" in read(each)
        ]
        if not found:
            return
        time.sleep(0.05)
    raise AssertionError(found)


def read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize(
    "attack",
    ["bytearray(4 << 30)", "open('big', 'wb').write(bytes(65 << 20))", "x = []\nwhile True: x.append(bytes(1 << 20))"],
)
def test_memory_and_disk_have_limits(index, build, attack):
    sdist(index, "evil", body=attack)
    refused(build, "evil 1.0 was not built")


def test_the_scratch_folder_has_a_limit(index, build):
    sdist(index, "evil", body="for n in range(9): open(str(n), 'wb').write(bytes(60 << 20))")
    refused(build, "No space left")


def test_its_output_is_shown_without_signs_for_the_terminal_and_in_part(index, build):
    body = r"for n in range(9999): print('\x1b[2J\x1b]0;title\x07', n, 'x' * 500)" + "\nraise SystemExit('\\u202egone')"
    sdist(index, "evil", body=body)
    said = refused(build, "its build failed; its last lines were:.*gone")
    assert not {"\x1b", "\x07", "\u202e"} & {*said} and len(said) < 4000


def test_endless_output_is_read_and_forgotten(index, build, monkeypatch):
    monkeypatch.setattr(chamber, "SECONDS", 3)
    sdist(index, "evil", body="while True: print('x' * 1000)")
    refused(build, "took longer than 3 s")


@pytest.mark.parametrize(
    ("wheel", "says"),
    [
        ({"calls_itself": "good"}, "calls itself good 1.0"),
        ({"more": {"evil.so": "x"}}, "has C code.*evil.so"),
        ({"more": {"../../outside.py": "x"}}, "would lie outside of it"),
    ],
)
def test_a_wheel_other_than_what_was_asked_for_is_refused_and_not_kept(index, build, wheel, says, cached):
    sdist(index, "evil", **wheel)
    refused(build, says)
    assert not [*cached.glob("*/*")]


@pytest.mark.parametrize(
    "plant",
    [
        "os.symlink('/proc/self/environ', path)",
        "os.mkfifo(path)",
        "os.mkdir(path)",
        "open(path, 'w').write('no zip')",
        "pass",
    ],
)
def test_a_wheel_that_is_no_file_is_refused(index, build, plant):
    before = (
        "import sys\ndef make(out, *_):\n    path = os.path.join(out, 'evil-1.0-py3-none-any.whl')\n"
        f"    {plant}\n    return 'evil-1.0-py3-none-any.whl'\n"
    )
    sdist(index, "evil", before=before, files={"other.py": "from backend import make as build_wheel\n"})
    text = '[build-system]\nrequires = []\nbuild-backend = "other"\nbackend-path = ["."]\n'
    sdist(
        index,
        "evil",
        before=before,
        files={"other.py": "from backend import make as build_wheel\n", "pyproject.toml": text},
    )
    refused(build, "evil 1.0 was")


@pytest.mark.parametrize(
    "tool", ["evil @ file:///etc/passwd", r"x; os_name != \"a\\n-r /etc/passwd\"", "-r /etc/passwd", "x\\n-e ."]
)
def test_a_tool_by_an_address_or_an_option_is_refused(index, build, tool):
    sdist(index, "evil", tools=f'["{tool}"]')
    refused(build, "A tool of evil 1.0.*is refused")
    sdist(index, "evil", before=f'def get_requires_for_build_wheel(c=None): return ["{tool}"]')
    refused(build, "A tool of evil 1.0.*is refused")


def test_a_package_that_a_compiler_makes_is_refused_before_anything_is_fetched(index, build):
    sdist(index, "evil", tools='["maturin>=1"]')
    refused(build, "evil 1.0 has C code, or the like, and cannot be built here for the board's aarch64.*maturin")


def test_a_failed_build_of_c_code_says_so_and_names_an_alternative(index, build):
    sdist(index, "spidev", body="import os\nassert os.system(os.environ['CC']) == 0", files={"spi.c": ""})
    with pytest.raises(
        RejectedError, match=r"(?s)spidev 1\.0 has C code.*source has spi\.c.*Use instead: `busio\.SPI`"
    ):
        build()


def test_a_source_that_unpacks_to_elsewhere_is_refused(index, build):
    with tarfile.open(index / "evil-1.0.tar.gz", "w:gz") as made:
        add(made, "evil-1.0/../../outside", b"x")
    refused(build, "evil-1.0.tar.gz is not built.*would lie outside")


def test_a_source_whose_project_is_not_understood_is_refused(index, build):
    sdist(index, "evil", files={"pyproject.toml": "[[["})
    refused(build, "evil-1.0.tar.gz is not built.*its pyproject.toml is not understood")


def test_a_build_that_answers_in_place_of_our_program_gains_nothing(index, build):
    # The answer is a package's word in any case; it cannot even reach the pipe.
    forged = "import os\nwith open('/proc/%d/fd/1' % os.getppid(), 'wb') as file: file.write(b'{}')"
    sdist(index, "evil", body=forged)
    refused(build, "evil 1.0 was not built.*Error")
