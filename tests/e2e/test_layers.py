"""A function with dependencies: resolved here, delivered and verified like code, shared by those with the same."""

import json
from importlib import metadata

import pytest

from tests.e2e.conftest import DEVICE
from tests.wheels import wheel

pytestmark = pytest.mark.e2e


@pytest.fixture
def index(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return tmp_path


def function(folder, name, requirements):
    folder.mkdir()
    (folder / "function.toml").write_text(f'name = "{name}"\nhandler = "main:handler"\n')
    (folder / "main.py").write_text("import leaf\n\n\ndef handler(event, context):\n    return leaf.VALUE\n")
    (folder / "requirements.txt").write_text(requirements)
    return str(folder)


def test_a_function_finds_its_packages_and_two_with_the_same_share_them(fleet, index, tmp_path):
    wheel(index, "leaf", "VALUE = 'first'\n")
    for name in ("needy", "needier"):
        fleet.run("deploy", function(tmp_path / name, name, "leaf==1.0\n"), "--device", DEVICE)
        assert fleet.json("call", f"{DEVICE}/{name}") == "first"
    trees = fleet.state / "devices" / DEVICE / "state" / "update" / "trees"
    shared = [tree for tree in trees.iterdir() if (tree / "layer.toml").exists()]
    assert len(shared) == 1
    wheel(index, "leaf", "VALUE = 'second'\n", version="2.0")
    (tmp_path / "needy" / "requirements.txt").write_text("leaf==2.0\n")
    fleet.run("deploy", str(tmp_path / "needy"), "--device", DEVICE)
    assert fleet.json("call", f"{DEVICE}/needy") == "second"
    assert fleet.json("call", f"{DEVICE}/needier") == "first"
    exposed = json.loads(fleet.run("--json", "exposure", "Leaf==1.0", code=1).stdout)["exposed"]
    assert [(each["device"], each["functions"]) for each in exposed] == [(DEVICE, ["needier"])]
    assert fleet.json("exposure", "leaf>2.0")["unknown"] == []
    (agents,) = json.loads(fleet.run("--json", "exposure", "tuf", code=1).stdout)["exposed"]
    assert agents["version"] == metadata.version("tuf")
    assert "pkg:pypi/leaf@2.0" in fleet.run("sbom", DEVICE).stdout
    fleet.run("rollback", DEVICE)
    assert fleet.json("call", f"{DEVICE}/needy") == "first"
    for name in ("needy", "needier"):
        fleet.run("remove", f"{DEVICE}/{name}")


def test_a_package_without_a_wheel_ends_the_deployment_before_anything_is_sent(fleet, index, tmp_path):
    before = fleet.device(DEVICE)["desired"]["generation"]
    refused = fleet.run("deploy", function(tmp_path / "wheelless", "wheelless", "absent\n"), "--device", DEVICE, code=5)
    assert "requirements.txt cannot be met" in refused.stderr
    assert fleet.device(DEVICE)["desired"]["generation"] == before


def test_a_program_runs_and_the_layers_own_version_of_an_agents_library_counts(fleet, index, tmp_path):
    """The agent has typing_extensions in memory when it forks the worker, and a function asks for another version."""
    wheel(index, "typing_extensions", "WHOSE = 'layer'\n", version="4.0", more={"pkg/tool": "#!/bin/sh\necho layer\n"})
    folder = tmp_path / "programs"
    path = function(folder, "programs", "typing-extensions<4.1\n")
    (folder / "main.py").write_text(
        "import subprocess\nfrom pathlib import Path\n\nimport typing_extensions\n\n\n"
        "def handler(event, context):\n"
        "    tools = [Path(__file__).parent / 'tool.sh', Path(typing_extensions.__file__).parent / 'pkg/tool']\n"
        "    told = [subprocess.run([tool], capture_output=True, text=True, check=True).stdout for tool in tools]\n"
        "    return [typing_extensions.WHOSE, *told]\n"
    )
    (folder / "tool.sh").write_text("#!/bin/sh\necho own\n")
    (folder / "tool.sh").chmod(0o755)
    explained = fleet.json("deploy", path, "--device", DEVICE, "--explain")
    assert [(each["name"], each["version"]) for each in explained] == [("typing-extensions", "4.0")]
    fleet.run("deploy", path, "--device", DEVICE)
    assert fleet.json("call", f"{DEVICE}/programs") == ["layer", "own\n", "layer\n"]
    fleet.run("remove", f"{DEVICE}/programs")
