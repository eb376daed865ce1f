"""The installed command where only a part of what it needs is there."""

import subprocess
import sys

import pytest

_WITHOUT = "import sys; sys.modules[{!r}] = None; sys.argv = ['lamplight', *{!r}]; {}"
_START = "from cloud_shim.cli.extras import lamplight; lamplight()"


@pytest.mark.parametrize("module", ["click", "rich", "httpx"])
@pytest.mark.parametrize("arguments", [[], ["--version"], ["devices"]])
def test_one_package_of_the_extra_that_is_missing_is_told_without_a_traceback(module, arguments):
    started = [sys.executable, "-P", "-c", _WITHOUT.format(module, arguments, _START)]
    ended = subprocess.run(started, capture_output=True, text=True)
    assert "Traceback" not in ended.stderr
    if ended.returncode:
        assert f"{module} is not installed" in ended.stderr
        assert "[shim]" in ended.stderr
        assert ended.returncode == 3
