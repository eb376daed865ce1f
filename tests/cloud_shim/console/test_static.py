"""The static files: complete, free of other hosts, and with the licences of what is not ours."""

import re
from pathlib import Path

import pytest

import cloud_shim.console

ROOT = Path(cloud_shim.console.__file__).parent
STATIC = ROOT / "static"
OURS = [
    path
    for path in [*STATIC.rglob("*"), *ROOT.joinpath("templates").rglob("*")]
    if path.is_file() and path.parent.name != "vendor"
]


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_a_file_names_no_other_host(path):
    hosts = set(re.findall(r"(?:https?:)?//([\w.-]+\.\w+)", path.read_text()))
    assert hosts <= {"www.w3.org"}


@pytest.mark.parametrize("path", sorted(STATIC.joinpath("js").glob("*.js")), ids=lambda path: path.name)
def test_a_module_says_what_it_is_for_and_imports_what_is_there(path):
    text = path.read_text()
    assert text.startswith("// ")
    for name in re.findall(r'from "([^"]+)"', text):
        assert path.parent.joinpath(name).is_file()


def test_templates_refer_to_files_that_are_there():
    for template in ROOT.joinpath("templates").rglob("*.html"):
        for name in re.findall(r'"/static/([^"]+)"', template.read_text()):
            assert STATIC.joinpath(name).is_file(), name


@pytest.mark.parametrize("name", ["codemirror", "htmx", "uplot"])
def test_what_is_vendored_has_its_licence_and_version_beside_it(name):
    vendor = STATIC / "vendor"
    assert vendor.joinpath(f"{name}.js").is_file()
    assert vendor.joinpath(f"{name}.LICENSE.txt").read_text().strip()
    assert f"`{name}.js`" in vendor.joinpath("VENDOR.md").read_text()
