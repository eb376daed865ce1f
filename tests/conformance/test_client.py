"""The command that TUF's conformance suite would run: it speaks the suite's protocol, and trusts what a board trusts.

The suite itself is not on any package index (docs/threat-model.md says how to run it). These go by what it expects:
what is asked for and in which order, what is trusted afterwards, and the exit code.
"""

import json
import subprocess
import sys
import threading
import urllib.parse
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

CLIENT = Path(__file__).with_name("client.py")
TOP = ("timestamp", "snapshot", "targets")
FIRST = ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"]
IN_A_MONTH = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
YESTERDAY = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)


class Repository:
    """A TUF repository with a key for each role: `files` is what its server shows, by path, `asked` what was asked."""

    def __init__(self):
        self.keys = {role: [CryptoSigner.generate_ed25519()] for role in ("root", *TOP)}
        self.signed = {
            "root": Root(expires=IN_A_MONTH),
            "timestamp": Timestamp(expires=IN_A_MONTH),
            "snapshot": Snapshot(expires=IN_A_MONTH),
            "targets": Targets(expires=IN_A_MONTH),
        }
        self.files = {}
        self.asked = []
        for role, (key,) in self.keys.items():
            self.signed["root"].add_key(key.public_key, role)
        self.show("root", *TOP)
        self.first_root = self.files["metadata/1.root.json"]

    def show(self, *roles):
        """Sign the roles as they are now, each with all its keys, and put them on the server."""
        for role in roles:
            metadata = Metadata(self.signed[role])
            for key in self.keys[role]:
                metadata.sign(key, append=True)
            name = urllib.parse.quote(role, "")
            name = name if role == "timestamp" else f"{metadata.signed.version}.{name}"
            self.files[f"metadata/{name}.json"] = metadata.to_bytes()

    def next(self, *roles):
        """Show new versions of the roles, and of the snapshot and timestamp that list them."""
        for role in (*roles, "snapshot", "timestamp"):
            self.signed[role].version += 1
        listed = [role for role in self.signed if role not in ("root", "snapshot", "timestamp")]
        self.signed["snapshot"].meta = {f"{role}.json": MetaFile(self.signed[role].version) for role in listed}
        self.signed["timestamp"].snapshot_meta = MetaFile(self.signed["snapshot"].version)
        self.show(*roles, "snapshot", "timestamp")

    def new_root(self, keys, threshold, signers):
        root = self.signed["root"]
        root.roles["root"].keyids.clear()
        for key in keys:
            root.add_key(key.public_key, "root")
        root.roles["root"].threshold = threshold
        root.version += 1
        self.keys["root"] = signers
        self.show("root")

    def delegate(self, parent, role, paths=("*",), terminating=False):
        self.keys.setdefault(role, [CryptoSigner.generate_ed25519()])
        self.signed.setdefault(role, Targets(expires=IN_A_MONTH))
        if self.signed[parent].delegations is None:
            self.signed[parent].delegations = Delegations({}, roles={})
        self.signed[parent].delegations.roles[role] = DelegatedRole(role, [], 1, terminating, list(paths))
        self.signed[parent].add_key(self.keys[role][0].public_key, role)

    def add(self, role, path, data):
        listed = TargetFile.from_data(path, data, ["sha256"])
        self.signed[role].targets[path] = listed
        folder, slash, name = path.rpartition("/")
        self.files[f"targets/{folder}{slash}{listed.hashes['sha256']}.{name}"] = data


@pytest.fixture
def repository():
    return Repository()


@pytest.fixture
def url(repository):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            path = self.path.lstrip("/")
            repository.asked.append(path.partition("/")[2])
            found = repository.files.get(path if path.startswith("metadata") else urllib.parse.unquote(path))
            self.send_response(200 if isinstance(found, bytes) else found or 404)
            self.end_headers()
            self.wfile.write(found if isinstance(found, bytes) else b"")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    serving.join()
    server.server_close()


class Client:
    """The command, run as the suite runs it."""

    def __init__(self, folder, url):
        self.metadata, self.targets = folder / "metadata", folder / "targets"
        self.metadata.mkdir()
        self.targets.mkdir()
        self.url = url
        self.said = ""

    def run(self, *words):
        command = [sys.executable, str(CLIENT), "--metadata-dir", str(self.metadata)]
        done = subprocess.run([*command, *words], capture_output=True, text=True, check=False, cwd=CLIENT.parents[2])
        self.said = done.stderr
        assert "Traceback" not in done.stderr
        return done.returncode

    def init(self, root):
        path = self.metadata.parent / "root.json"
        path.write_bytes(root)
        return self.run("init", str(path))

    def refresh(self):
        return self.run("--metadata-url", f"{self.url}/metadata/", "refresh")

    def download(self, *names):
        folders = ("--target-dir", str(self.targets), "--target-base-url", f"{self.url}/targets/")
        named = [word for name in names for word in ("--target-name", name)]
        return self.run("--metadata-url", f"{self.url}/metadata/", *named, *folders, "download")

    def trusted(self):
        """The versions trusted now, by file name."""
        files = (path for path in self.metadata.iterdir() if path.suffix == ".json")
        return {path.name: json.loads(path.read_bytes())["signed"]["version"] for path in files}

    def artifacts(self):
        return [path.read_bytes() for path in self.targets.iterdir()]


@pytest.fixture
def client(tmp_path, url, repository):
    made = Client(tmp_path, url)
    assert made.init(repository.first_root) == 0
    assert not repository.asked
    return made


def versions(root, timestamp, snapshot, targets):
    names = ("root.json", "timestamp.json", "snapshot.json", "targets.json")
    return dict(zip(names, (root, timestamp, snapshot, targets), strict=True))


def test_a_refresh_asks_in_order_and_keeps_what_it_trusts(client, repository):
    assert client.refresh() == 0
    assert repository.asked == FIRST
    assert client.trusted() == versions(1, 1, 1, 1)


def test_a_refresh_with_nothing_new_asks_for_no_more_than_the_timestamp(client, repository):
    client.refresh()
    repository.asked.clear()
    assert client.refresh() == 0
    assert repository.asked == FIRST[:2]


@pytest.mark.parametrize("wrong", ["unsigned", "no version", "no JSON"])
def test_a_first_root_that_does_not_hold_is_refused_before_anything_is_asked(client, repository, wrong):
    root = json.loads(repository.first_root)
    if wrong == "unsigned":
        root["signatures"] = []
    del root["signed"]["version" if wrong == "no version" else "_type"]
    assert client.init(b"}" if wrong == "no JSON" else json.dumps(root).encode()) == 0
    assert client.refresh() == 1
    assert "does not hold" in client.said and not repository.asked


@pytest.mark.parametrize("role", TOP)
def test_a_version_that_goes_down_is_refused(client, repository, role):
    repository.next("targets")
    repository.next("targets")
    assert client.refresh() == 0
    repository.signed[role].version = 1
    if role == "timestamp":
        repository.show(role)
    elif role == "snapshot":
        repository.signed["timestamp"].version += 1
        repository.signed["timestamp"].snapshot_meta = MetaFile(1)
        repository.show("snapshot", "timestamp")
    else:
        repository.next()
        repository.show("targets")
    assert client.refresh() == 1
    assert client.trusted()[f"{role}.json"] == 3


@pytest.mark.parametrize("role", TOP)
def test_expired_metadata_is_refused(client, repository, role):
    assert client.refresh() == 0
    repository.signed[role].expires = YESTERDAY
    repository.next("targets")
    assert client.refresh() == 1
    assert "expired" in client.said and client.trusted()[f"{role}.json"] == 1
    repository.signed[role].expires = IN_A_MONTH
    repository.next("targets")
    assert client.refresh() == 0


def test_an_expired_root_is_kept_and_nothing_after_it(client, repository):
    client.refresh()
    repository.signed["root"].expires = YESTERDAY
    repository.new_root(repository.keys["root"], 1, repository.keys["root"])
    repository.next("targets")
    assert client.refresh() == 1
    assert client.trusted() == versions(2, 1, 1, 1)


# Each: who may sign the new root, how many must, who signs it; by number. The first root is number 0's alone.
ROOTS = {
    "one-key-for-another": ([([1], 1, [0, 1]), ([1], 1, [1])], True),
    "signatures-of-strangers-beside": ([([1], 1, [8, 0, 1, 9])], True),
    "three-of-five-then-all-others": (
        [([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([5, 6, 7, 8, 9], 3, [0, 2, 4, 5, 6, 7]), ([5, 6, 7, 8, 9], 3, [5, 6, 7])],
        True,
    ),
    "threshold-up-and-down": ([([0, 1, 2], 2, [0, 1]), ([0, 1, 2], 1, [1, 2]), ([0, 1, 2], 1, [2])], True),
    "not-by-the-old": ([([1], 1, [1, 2])], False),
    "not-by-the-new": ([([1], 1, [0, 2])], False),
    "too-few-of-the-old": ([([0, 1, 2], 2, [0, 1]), ([0, 1, 2], 1, [1])], False),
    "too-few-of-the-new": ([([0, 1, 2], 2, [0])], False),
}


@pytest.mark.parametrize(("changes", "holds"), ROOTS.values(), ids=ROOTS)
def test_roots_are_followed_one_by_one(client, repository, changes, holds):
    people = [*repository.keys["root"], *(CryptoSigner.generate_ed25519() for _ in range(9))]
    for keys, threshold, signers in changes:
        repository.new_root([people[each] for each in keys], threshold, [people[each] for each in signers])
    assert client.refresh() == (0 if holds else 1)
    assert client.trusted()["root.json"] == (len(changes) + 1 if holds else len(changes))


def test_new_keys_of_a_role_begin_a_new_count_after_a_thief_pushed_the_old_to_its_end(client, repository):
    repository.signed["snapshot"].version = repository.signed["timestamp"].version = 99_999
    repository.next()
    assert client.refresh() == 0
    for role in ("snapshot", "timestamp"):
        old = repository.keys[role][0]
        repository.keys[role] = [CryptoSigner.generate_ed25519()]
        repository.signed["root"].revoke_key(old.public_key.keyid, role)
        repository.signed["root"].add_key(repository.keys[role][0].public_key, role)
        repository.signed[role].version = 1
    repository.new_root(repository.keys["root"], 1, repository.keys["root"])
    repository.next()
    assert client.refresh() == 0
    assert client.trusted() == versions(2, 2, 2, 1)


def test_delegations_are_asked_in_their_order_and_end_where_one_says_so(client, repository):
    repository.delegate("targets", "A", paths=("*.md",))
    repository.delegate("targets", "B")
    repository.delegate("B", "C", terminating=True)
    repository.delegate("B", "D")
    repository.delegate("targets", "E")
    repository.next("targets", "A", "B", "C", "D", "E")
    assert client.download("missing") == 1
    assert repository.asked[4:] == ["2.B.json", "2.C.json"]


def test_delegations_in_a_circle_end(client, repository):
    repository.delegate("targets", "A")
    repository.delegate("A", "B")
    repository.delegate("B", "A")
    repository.next("targets", "A", "B")
    assert client.download("missing") == 1
    assert repository.asked[4:] == ["2.A.json", "2.B.json"]


@pytest.mark.parametrize("role", ["?", "#", "/delegated", "../delegated"])
def test_a_role_cannot_name_a_file_elsewhere(client, repository, role):
    repository.delegate("targets", role)
    repository.next("targets", role)
    before = {path for path in client.metadata.parent.rglob("*") if client.metadata not in path.parents}
    assert client.download("missing") == 1
    assert repository.asked[-1] == f"2.{urllib.parse.quote(role, '')}.json"
    assert len(client.trusted()) == 5
    assert {path for path in client.metadata.parent.rglob("*") if client.metadata not in path.parents} == before


@pytest.mark.parametrize("path", ["artifact.txt", "path/to/an artifact.txt"])
def test_an_artifact_comes_once(client, repository, path):
    repository.add("targets", path, b"content")
    repository.next("targets")
    assert client.download(path) == 0
    repository.asked.clear()
    assert client.download(path) == 0
    assert client.artifacts() == [b"content"] and repository.asked == FIRST[:2]


def test_several_artifacts_come_in_one_run_by_one_look_at_the_metadata(client, repository):
    for name in ("one", "two"):
        repository.add("targets", name, name.encode())
    repository.next("targets")
    assert client.download("one", "two") == 0
    assert sorted(client.artifacts()) == [b"one", b"two"] and repository.asked.count("timestamp.json") == 1
    assert client.download("one", "missing") == 1


def test_another_content_than_is_listed_is_refused(client, repository):
    repository.add("targets", "good", b"content")
    repository.next("targets")
    for name in repository.files:
        if name.startswith("targets/"):
            repository.files[name] = b"of a thief"
    assert client.download("good") == 1
    assert not client.artifacts()


@pytest.mark.parametrize("answer", [500, b"}"], ids=["500", "no JSON"])
@pytest.mark.parametrize("name", ["2.root.json", "timestamp.json"])
def test_a_server_that_is_broken_gets_one_line(client, repository, name, answer):
    repository.files[f"metadata/{name}"] = answer
    assert client.refresh() == 1
    assert len(client.said.strip().splitlines()) <= 3


def test_a_server_that_is_gone(client):
    client.url = "http://127.0.0.1:1"
    assert client.refresh() == 1
    assert "Failed to download" in client.said
