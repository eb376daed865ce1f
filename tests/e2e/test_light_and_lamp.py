"""A person's first hour: the light, the lamp, a change, a call, the logs, a rollback, a model."""

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import DEVICE, Fleet
from tests.support import until

MODEL = Path(__file__).parents[2] / "models" / "presence"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_led_follows_the_light(fleet: Fleet, night_light: Path) -> None:
    fleet.led_becomes(False)
    fleet.run("sim", "cover", "--device", DEVICE)
    fleet.led_becomes(True)
    fleet.run("sim", "uncover", "--device", DEVICE)
    fleet.led_becomes(False)


def test_inverted_code_inverts_the_led_and_a_rollback_returns_it(fleet: Fleet, night_light: Path) -> None:
    edit(night_light / "main.py", "<", ">=")
    fleet.run("deploy", str(night_light), "--device", DEVICE)
    fleet.led_becomes(True)
    fleet.run("rollback", DEVICE)
    fleet.led_becomes(False)


def test_a_removed_function_leaves_its_output_safe_and_makes_room_for_another(
    fleet: Fleet, night_light: Path, tmp_path: Path
) -> None:
    blink = tmp_path / "blink"
    fleet.run("new", "blink", str(blink))
    refused = fleet.run("deploy", str(blink), "--device", DEVICE, code=5)
    assert "lamplight remove DEVICE/night-light" in refused.stderr
    fleet.run("sim", "cover", "--device", DEVICE)
    fleet.led_becomes(True)
    fleet.run("remove", f"{DEVICE}/night-light")
    # Still dark: were the function there, the LED would be lit.
    fleet.led_becomes(False)
    until(lambda: "night-light" not in fleet.device(DEVICE)["reported"]["functions"], "it is gone")
    fleet.run("deploy", str(blink), "--device", DEVICE)
    fleet.led_becomes(True)
    fleet.run("remove", f"{DEVICE}/blink")
    fleet.led_becomes(False)


def test_a_model_is_removed_once_no_function_needs_it(fleet: Fleet, tmp_path: Path) -> None:
    user = tmp_path / "user"
    fleet.run("new", "hello", str(user))
    edit(user / "function.toml", 'name = "hello"', 'name = "user"\nmodels = ["presence"]')
    fleet.run("deploy", str(MODEL), "--device", DEVICE)
    fleet.run("deploy", str(user), "--device", DEVICE)
    for function in [name for name in fleet.device(DEVICE)["desired"]["functions"] if name != "night-light"]:
        refused = fleet.run("remove", f"{DEVICE}/presence", "--model", code=5)
        assert "lamplight remove" in refused.stderr
        fleet.run("remove", f"{DEVICE}/{function}")
    fleet.run("remove", f"{DEVICE}/presence", "--model")
    until(lambda: not fleet.device(DEVICE)["reported"]["models"], "the board has dropped it")


def test_a_setting_changes_the_threshold_without_new_code(fleet: Fleet, night_light: Path) -> None:
    before = fleet.device(DEVICE)["desired"]["functions"]["night-light"]["version"]
    fleet.run("deploy", str(night_light), "--device", DEVICE, "--set", "threshold=1000")
    fleet.led_becomes(True)
    after = fleet.device(DEVICE)["desired"]["functions"]["night-light"]
    assert after == {"version": before, "config": {"threshold": 1000}}
    fleet.run("deploy", str(night_light), "--device", DEVICE, "--set", "threshold=100")
    fleet.led_becomes(False)


def test_a_function_can_be_called_and_its_log_read(fleet: Fleet, tmp_path: Path) -> None:
    folder = tmp_path / "hello"
    fleet.run("new", "hello", str(folder))
    fleet.run("deploy", str(folder), "--device", DEVICE)
    answer = fleet.json("call", f"{DEVICE}/hello", '{"name": "Ada"}')
    assert "Hello, Ada!" in json.dumps(answer)
    until(lambda: "greeting Ada" in fleet.run("logs", f"{DEVICE}/hello").stdout, "the log line has arrived")


def test_devices_and_status_agree_with_what_runs(fleet: Fleet, night_light: Path) -> None:
    devices = {each["name"]: each for each in fleet.json("devices")["devices"]}
    assert devices[DEVICE]["online"] is True
    until(
        lambda: fleet.device(DEVICE)["reported"]["generation"] == fleet.device(DEVICE)["desired"]["generation"],
        "reported is desired",
    )
    assert fleet.device(DEVICE)["reported"]["functions"]["night-light"]["state"] == "running"


def test_a_model_travels_apart_and_a_new_one_changes_the_decisions(fleet: Fleet, tmp_path: Path) -> None:
    """The function stays the same release; only the model's labels' meaning changes under it."""
    function = tmp_path / "watcher"
    function.mkdir()
    (function / "function.toml").write_text(
        'name = "watcher"\nhandler = "main:handler"\nmodels = ["presence"]\n'
        '[[triggers]]\ntype = "sensor"\nsensor = "light"\nevery = "100ms"\nwindow = 32\n'
    )
    (function / "main.py").write_text(
        "def handler(event, context):\n"
        "    return {'score': context.models['presence'].run(event.data['window']).value}\n"
    )
    refused = fleet.run("deploy", str(function), "--device", DEVICE, code=5)
    assert "presence" in refused.stderr
    fleet.run("deploy", str(MODEL), "--device", DEVICE)
    fleet.run("deploy", str(function), "--device", DEVICE)
    version = fleet.device(DEVICE)["desired"]["functions"]["watcher"]["version"]

    def latest() -> float:
        scores = [d["result"]["score"] for d in fleet.decisions() if d["function"] == "watcher"]
        return scores[-1] if scores else -1.0

    until(lambda: 0.0 <= latest() < 0.5, "nobody is there")
    inverted = tmp_path / "presence"
    _inverted_model(inverted)
    fleet.run("deploy", str(inverted), "--device", DEVICE)
    until(lambda: latest() > 0.5, "the new model says otherwise")
    assert fleet.device(DEVICE)["desired"]["functions"]["watcher"]["version"] == version


def _inverted_model(into: Path) -> None:
    """The presence model with its answer turned round, as a retrained model might be."""
    import onnx
    from onnx import helper

    shutil.copytree(MODEL, into, ignore=shutil.ignore_patterns("__pycache__"))
    model = onnx.load(into / "model.onnx")
    graph = model.graph
    for node in graph.node:
        node.output[:] = ["turned_before" if name == "presence" else name for name in node.output]
    one = helper.make_tensor("turned_one", onnx.TensorProto.FLOAT, [1], [1.0])
    graph.initializer.append(one)
    graph.node.append(helper.make_node("Sub", ["turned_one", "turned_before"], ["presence"]))
    onnx.save(model, into / "model.onnx")
    golden = json.loads((into / "golden.json").read_text())
    for vector in golden["vectors"]:
        vector["outputs"]["presence"] = [[1.0 - vector["outputs"]["presence"][0][0]]]
    (into / "golden.json").write_text(json.dumps(golden))


def test_an_unplugged_sensor_is_told_and_comes_back(fleet: Fleet, night_light: Path) -> None:
    fleet.run("sim", "unplug", "--device", DEVICE)
    until(lambda: not fleet.device(DEVICE)["reported"]["sensors"]["light"]["ok"], "the fault is reported")
    assert "0x39" in fleet.device(DEVICE)["reported"]["sensors"]["light"]["error"]
    fleet.run("sim", "plug", "--device", DEVICE)
    until(lambda: fleet.device(DEVICE)["reported"]["sensors"]["light"]["ok"], "it is well again")
    seen = len(fleet.decisions())
    until(lambda: len(fleet.decisions()) > seen, "decisions go on")


def test_dev_redeploys_at_each_save(fleet: Fleet, night_light: Path, tmp_path: Path) -> None:
    import os
    import signal
    import subprocess
    import threading

    from tests.e2e.conftest import LAMPLIGHT

    dev = subprocess.Popen(
        [*LAMPLIGHT, "--json", "dev", str(night_light), "--device", DEVICE],
        stdout=subprocess.PIPE,
        stderr=(tmp_path / "dev.log").open("w"),
        text=True,
        env={**os.environ, "LAMPLIGHT_URL": fleet.url, "PYTHONFAULTHANDLER": "1"},
    )
    try:
        main = night_light / "main.py"
        good = main.read_text()
        assert dev.stdout
        # Decisions may come first. What is saved from this line on is deployed.
        assert any(json.loads(line)["kind"] == "watching" for line in dev.stdout)
        # Somebody has to read on: a full pipe would stop it.
        threading.Thread(target=dev.stdout.read, daemon=True).start()
        main.write_text(good.replace("<", ">="))
        fleet.led_becomes(True)
        main.write_text("def handler(event, context:\n")
        main.write_text(good)
        fleet.led_becomes(False)
    finally:
        dev.send_signal(signal.SIGINT)
        try:
            dev.wait(60)
        except subprocess.TimeoutExpired:
            # It says where each of its threads is.
            dev.send_signal(signal.SIGABRT)
            dev.wait(60)
            pytest.fail((tmp_path / "dev.log").read_text())
