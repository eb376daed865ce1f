"""A message of the fleet, over the real broker, starts a function on the board; and an event sent by hand does.

An address that is taken refuses a function that is to be served there.
"""

import os
import socket
import urllib.request
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from cloud_shim.broker import access
from cloud_shim.broker import setup as broker
from cloud_shim.cli.up.home_folder import HomeFolder
from device.protocol.cloudevents import Message
from tests.e2e.conftest import DEVICE, Fleet
from tests.support import until

TOML = 'name = "listener"\nhandler = "main:handler"\n[[triggers]]\ntype = "mqtt"\ntopic = "rooms/+"\n'
CODE = 'def handler(event, context):\n    return {"type": event.type, "subject": event.subject, "data": event.data}\n'


def test_a_message_of_another_board_and_an_event_by_hand_start_a_function(fleet: Fleet, tmp_path: Path) -> None:
    (tmp_path / "function.toml").write_text(TOML)
    (tmp_path / "main.py").write_text(CODE)
    fleet.run("deploy", str(tmp_path), "--device", DEVICE)
    said = fleet.json("call", f"{DEVICE}/listener", "--type", "lamplight.gpio.rising", "--data", '{"pin": "button"}')
    assert said == {"type": "lamplight.gpio.rising", "subject": "", "data": {"pin": "button"}}
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(access.SHIM_USER, broker.shim_password(HomeFolder(fleet.state).cloud))
    client.connect("127.0.0.1", fleet.mqtt_port)
    client.loop_start()
    message = Message("1", "/home/hall-pi/1-ab/function/f", "2026-06-01T07:30:00.000Z", "rooms/hall", {"lit": True})
    client.publish("lamplight/1/home/t/rooms/hall", message.encode(), qos=1).wait_for_publish(30)
    client.loop_stop()
    until(lambda: any(each.get("function") == "listener" for each in fleet.decisions()), "the function was started")
    (decision,) = [each for each in fleet.decisions() if each.get("function") == "listener"]
    assert decision["trigger"] == "lamplight.mqtt.message"
    assert decision["result"]["data"] == {"topic": "rooms/hall", "data": {"lit": True}, "from": message.source}
    fleet.run("remove", f"{DEVICE}/listener")


def test_an_http_port_that_is_taken_refuses_the_function_and_names_who_has_it(fleet: Fleet, night_light: Path) -> None:
    # An agent that has served a function once keeps the port: this one begins anew, without any such function.
    fleet.stop()
    fleet.start()
    toml = 'name = "served"\nhandler = "main:handler"\n[[triggers]]\ntype = "http"\npath = "/here"\n'
    folder = night_light.with_name("served")
    folder.mkdir()
    (folder / "function.toml").write_text(toml)
    (folder / "main.py").write_text('def handler(event, context):\n    return "yes"\n')
    deploy = ("deploy", str(folder), "--device", DEVICE)
    with socket.create_server(("127.0.0.1", fleet.http_port)):
        refused = fleet.run(*deploy, code=5).stderr
    assert f"HTTP cannot be served at 127.0.0.1 port {fleet.http_port}" in refused
    assert f"process {os.getpid()} " in refused
    fleet.run(*deploy)
    with urllib.request.urlopen(f"http://127.0.0.1:{fleet.http_port}/here", timeout=60) as answer:
        assert answer.read() == b"yes"
    fleet.run("remove", f"{DEVICE}/served")
