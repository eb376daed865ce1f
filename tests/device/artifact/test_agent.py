"""`runtime.toml`: what may stand in it, and what a board that cannot run the version says."""

import pytest

from device.artifact import agent
from device.errors import BadArtifactError, RejectedError
from tests.device.harness import write

GOOD = 'name = "lamplight"\nversion = "0.2.0"\npython = ">=3.11"\nrequires = ["tuf>=6"]\n'
PACKAGES = {"device/__init__.py": b"", "boards/__init__.py": b""}


def test_a_version_is_read_from_its_folder(tmp_path) -> None:
    manifest = agent.read(write(tmp_path, {**PACKAGES, "runtime.toml": GOOD.encode()}))
    assert (manifest.name, manifest.version) == ("lamplight", "0.2.0")


@pytest.mark.parametrize("missing", [*PACKAGES, "runtime.toml"])
def test_an_artifact_without_a_part_is_refused(tmp_path, missing) -> None:
    files = {**PACKAGES, "runtime.toml": GOOD.encode()}
    del files[missing]
    with pytest.raises(BadArtifactError):
        agent.read(write(tmp_path, files))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"lamplight"', '"other"'),
        ('"0.2.0"', '"../../x"'),
        ('"0.2.0"', "2"),
        ('">=3.11"', '"three"'),
        ('["tuf>=6"]', '"tuf"'),
        ('["tuf>=6"]', "[1]"),
        ('["tuf>=6"]', '["not a requirement!"]'),
        ('["tuf>=6"]', '["tuf>=6"]\nextra = 1'),
        (GOOD, "= ="),
        (GOOD, ""),
    ],
)
def test_a_wrong_manifest_is_refused(old, new) -> None:
    with pytest.raises(BadArtifactError):
        agent.parse(GOOD.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (">=3.11", ">=4", "needs Python >=4"),
        ("tuf>=6", "tuf>=600", "tuf>=600; "),
        ("tuf>=6", "no-such-library", "no-such-library, which is not installed"),
    ],
)
def test_what_this_machine_lacks_is_named(old, new, told) -> None:
    with pytest.raises(RejectedError, match="cannot run on this board") as refused:
        agent.check(agent.parse(GOOD.replace(old, new)))
    assert told in str(refused.value)


@pytest.mark.parametrize("requirement", ["tuf>=6", "no-such-library; sys_platform == 'plan9'"])
def test_what_is_there_or_is_for_another_system_is_enough(requirement) -> None:
    agent.check(agent.parse(GOOD.replace("tuf>=6", requirement)))
