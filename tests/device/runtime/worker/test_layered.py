"""A layer's packages lie after the standard library and before the board's; the zygote's own imports hide none."""

import os
import subprocess
import sys

import pytest

CODE = """
import sys
from pathlib import Path
import packaging, typing_extensions, device.artifact.agent
from device.runtime.worker import layered
layered.enter(Path(sys.argv[1]))
import enum, typing_extensions, packaging.version, leaf, device.errors
print(typing_extensions.WHOSE, packaging.version.WHOSE, leaf.WHOSE, hasattr(enum, "WHOSE"), hasattr(device, "WHOSE"))
"""


@pytest.fixture
def layer(tmp_path):
    site = tmp_path / "site"
    (site / "packaging").mkdir(parents=True)
    for name in ("typing_extensions", "leaf", "enum", "argparse", "device"):
        (site / f"{name}.py").write_text("WHOSE = 'layer'\n")
    (site / "packaging" / "__init__.py").write_text("")
    (site / "packaging" / "version.py").write_text("WHOSE = 'layer'\n")
    return site


def run(code, layer, **environment):
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(layer)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    return done.stdout.split()


def test_the_layers_packages_go_before_the_boards_and_after_the_standard_library(layer):
    assert run(CODE, layer) == ["layer", "layer", "layer", "False", "False"]


def test_also_where_the_agents_libraries_lie_before_the_standard_library(layer, tmp_path):
    board = tmp_path / "lamplight"
    board.mkdir()
    (board / "leaf.py").write_text("WHOSE = 'board'\n")
    assert run(CODE, layer, PYTHONPATH=str(board)) == ["layer", "layer", "layer", "False", "False"]


def test_a_backport_in_a_layer_hides_nothing_of_the_standard_library(layer):
    code = CODE.replace("import enum,", "import argparse as enum,")
    assert run(code, layer)[3] == "False"
