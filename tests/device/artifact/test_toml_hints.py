"""What a refused function.toml is told: the line, and what was probably meant."""

import pytest

from device.artifact import bundle
from device.errors import BadArtifactError

HEAD = 'name = "lamp"\nhandler = "main:handler"\n'


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('timout = "2s"', "unknown key 'timout'.*line 3.*Did you mean 'timeout'"),
        ("\n# a note\nNetwork = true", "line 5.*Did you mean 'network'"),
        ("record-calls = true", "line 3.*Did you mean 'record_calls'"),
        ('[[trigers]]\ntype = "start"', "unknown key 'trigers'.*line 3.*Did you mean 'triggers'"),
        ('[[triggers]]\ntype = "timer"\nevry = "1s"', "line 5.*Did you mean 'every'"),
        ('[[triggers]]\ntype = "timr"\nevery = "1s"', "line 4.*Did you mean 'timer'"),
        ('[[triggers]]\ntype = "start"\n[[triggers]]\ntype = "corn"', "line 6.*Did you mean 'cron'"),
        ('[[triggers]]\ntype = "timer"\nevery = "1s"\nnetwork = true', "line 6.*above the first line with a table"),
        ('[pins.led]\ndirektion = "out"', "line 4.*Did you mean 'direction'"),
        ('[pin.led]\ndirection = "out"', "line 3.*Did you mean 'pins'"),
        ('[[ triger . x ]]\ntype = "start"', "line 3.*Did you mean 'triggers'"),
        ('["trigers"]\ntype = "start"', "line 3.*Did you mean 'triggers'"),
        ("stat.size = 1", "line 3.*Did you mean 'state'"),
        ("[state]\nshema = 2", "line 4.*Did you mean 'schema'"),
        ('overflow = "drop-old"', "line 3.*Did you mean 'drop-oldest'"),
        ('timeout = "2 sec"', "line 3"),
        ('colour = "red"', "line 3"),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_mistake_is_told_with_its_line_and_what_was_meant(tmp_path, more, said, ends):
    (tmp_path / "function.toml").write_text((HEAD + more).replace("\n", ends), newline="")
    with pytest.raises(BadArtifactError, match=said):
        bundle.declared(tmp_path)


def test_what_resembles_nothing_is_told_without_a_guess(tmp_path):
    (tmp_path / "function.toml").write_text(HEAD + "zzz = 1")
    with pytest.raises(BadArtifactError) as refused:
        bundle.declared(tmp_path)
    assert "mean" not in str(refused.value)
