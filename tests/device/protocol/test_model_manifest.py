"""The content of model.toml: every key, its default, and what is refused."""

import tomllib

import pytest

from device.protocol.errors import ProtocolError
from device.protocol.model_manifest import model
from device.protocol.units import MIB


def read(text):
    return model(tomllib.loads(text))


def test_a_model_is_read():
    made = read('name = "presence"\nlabels = ["no", "yes"]\nlatency = "20ms"\n[inputs]\nlux = [1, 32]')
    assert (made.name, made.inputs, made.labels, made.latency) == ("presence", {"lux": [1, 32]}, ["no", "yes"], 0.02)


def test_every_key_is_read():
    made = read("""
        name = "speech"
        outputs = ["y"]
        labels = ["no", "yes"]
        scores = { output = "y", activation = "sigmoid" }
        tolerance = { absolute = 0.01, relative = 0.001, labels = 0.9 }
        latency = "1s"
        memory = "2M"
        threads = 2
        [inputs]
        sound = { shape = [1, "samples"], range = [-1, 1] }
        state = [2, 1, 64]
        words = "any"
        [state]
        state = "stateN"
    """)
    assert made.inputs == {"sound": [1, "samples"], "state": [2, 1, 64], "words": None}
    assert (made.ranges, made.outputs, made.state) == ({"sound": (-1.0, 1.0)}, ["y"], {"state": "stateN"})
    assert vars(made.scores) == {"output": "y", "activation": "sigmoid"}
    assert vars(made.tolerance) == {"absolute": 0.01, "relative": 0.001, "labels": 0.9}
    assert (made.latency, made.memory, made.threads) == (1.0, 2 * MIB, 2)


def test_all_but_its_name_and_inputs_has_a_default():
    made = model({"name": "m", "inputs": {"x": []}})
    assert (made.inputs, made.ranges, made.outputs, made.state, made.labels) == ({"x": []}, {}, [], {}, [])
    assert vars(made.scores) == {"output": "", "activation": ""}
    assert vars(made.tolerance) == {"absolute": 1e-4, "relative": 0.0, "labels": None}
    assert (made.latency, made.memory, made.threads) == (pytest.approx(0.1), 64 * MIB, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('name = "a"', "inputs"),
        ('name = "a"\n[inputs]', "names no input"),
        ('name = "a"\n[inputs]\nx = [-1]', "shape"),
        ('name = "a"\n[inputs]\nx = [""]', "shape"),
        ('name = "a"\n[inputs]\nx = [true]', "shape"),
        ('name = "a"\n[inputs]\nx = [1.5]', "shape"),
        ('name = "a"\n[inputs]\nx = "all"', "expected a list"),
        ('name = "a"\n[inputs]\nx = { range = [0, 1] }', "expected a list"),
        ('name = "a"\n[inputs]\nx = { shape = [1], range = [1, 0] }', "lowest and the highest"),
        ('name = "a"\n[inputs]\nx = { shape = [1], range = [0, nan] }', "lowest and the highest"),
        ('name = "a"\n[inputs]\nx = { shape = [1], range = [true, 2] }', "lowest and the highest"),
        ('name = "a"\n[inputs]\nx = { shape = [1], kind = 1 }', "unknown key"),
        ('name = "a"\nlabels = [1]\n[inputs]\nx = [1]', "labels"),
        ('name = "a"\noutputs = [1]\n[inputs]\nx = [1]', "outputs"),
        ('name = "a"\nscores = { activation = "relu" }\n[inputs]\nx = [1]', "none of softmax"),
        ('name = "a"\ntolerance = 0\n[inputs]\nx = [1]', "above zero"),
        ('name = "a"\ntolerance = nan\n[inputs]\nx = [1]', "finite"),
        ('name = "a"\ntolerance = { relative = -1 }\n[inputs]\nx = [1]', "below zero"),
        ('name = "a"\ntolerance = { labels = 0 }\n[inputs]\nx = [1]', "a share"),
        ('name = "a"\nthreads = 0\n[inputs]\nx = [1]', "between 1 and"),
        ('name = "a"\n[inputs]\nx = [1]\n[state]\nh = "hn"', "no such input"),
        ('name = "a"\n[inputs]\nx = [1]\n[state]\nx = "y"', "leaves no input"),
        ('name = "a"\nweights = "x"\n[inputs]\nx = [1]', "unknown key"),
    ],
)
def test_a_wrong_model_is_refused_with_the_key(text, words):
    with pytest.raises(ProtocolError, match=words):
        read(text)
