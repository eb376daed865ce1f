"""Which libraries the agent runs with."""

from importlib import metadata

from device import libraries

INSTALLED = {
    "tuf": ("6.0", ["securesystemslib~=1.0", "extra-thing; extra == 'x'", "elsewhere; sys_platform == 'none'"]),
    "securesystemslib": ("1.2", ["tuf", "not a requirement !"]),
    "elsewhere": ("1", []),
    "extra-thing": ("1", []),
}


def test_what_is_required_is_followed_and_what_is_not_needed_here_is_not():
    found = libraries.closure(["TUF>=6", "absent"], INSTALLED.get)
    assert found == {"securesystemslib": "1.2", "tuf": "6.0"}


def test_there_is_an_end_to_it():
    found = libraries.closure(["p0"], lambda name: ("1", [f"p{int(name[1:]) + 1}"]))
    assert len(found) == libraries.MOST


def test_it_finds_those_of_this_machine():
    found = libraries.installed()
    assert found["tuf"] == metadata.version("tuf")
    assert {"paho-mqtt", "adafruit-blinka", "onnxruntime", "securesystemslib"} <= set(found)
    assert "lamplight" not in found
