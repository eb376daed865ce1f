"""A 64 MiB model arrives with nothing lost, whatever the network, the broker, the shim and the agent do meanwhile.

All parts are real processes; the broker has its default settings. Between device and broker is a network that is as
bad as a seed says (tests/sim/mqtt_proxy.py).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from cloud_shim.broker import setup as broker
from cloud_shim.cli.client import Client
from cloud_shim.cli.up import ports
from cloud_shim.cli.up.home import Home
from cloud_shim.cli.up.home_folder import HomeFolder
from cloud_shim.cli.up.provision import FLEET
from device.artifact import archive
from device.infer.files import MODEL_FILES
from device.protocol import chunks, topics
from device.update.fetching.download import WIDE
from tests.sim.mqtt_proxy import Faults, Proxy
from tests.support import child_of, small_model, until

pytestmark = pytest.mark.e2e

DEVICE = "desk-pi"
WEIGHTS = 16 << 20  # of four bytes each: 64 MiB
PATIENCE = 240.0
# What may come twice at an interruption: what was asked for, and the index.
AT_RISK = (WIDE + 1) * chunks.CHUNK_SIZE
MEMORY = 8 << 20


class Bench:
    """A home whose device reaches the broker through the proxy, watched through what it reports to the broker."""

    def __init__(self, folder: Path) -> None:
        state = HomeFolder(folder / "state")
        self.mqtt_port = ports.free()
        self.home = Home(state, ports.free(), self.mqtt_port, DEVICE)
        self.proxy = Proxy(self.mqtt_port, seed=1)
        configuration = broker.folder(state.cloud) / "mosquitto.conf"
        configuration.write_text(f"listener {self.mqtt_port} 127.0.0.1\nallow_anonymous true\n")
        self.report: dict[str, Any] = {}
        self._folder = folder
        self._releases = 0
        self._watcher = self._watch()

    def start(self) -> None:
        self.home.start()
        self._watcher.connect_async("127.0.0.1", self.mqtt_port)
        self._watcher.loop_start()
        self.home.agent.stop()
        config = self.home.files.config
        config.write_text(config.read_text().replace(f"port = {self.mqtt_port}", f"port = {self.proxy.port}"))
        self.home.start_agent()
        until(lambda: self.report.get("generation") == 1, "the first function runs")

    def stop(self) -> None:
        self._watcher.disconnect()
        self._watcher.loop_stop()
        self.proxy.close()
        self.home.stop()

    def deploy_model(self) -> tuple[int, int]:
        """Deploy a new model; gives its generation and the length of the artifact."""
        self._releases += 1
        folder = self._folder / f"model-{self._releases}"
        folder.mkdir()
        files = small_model("heavy", WEIGHTS, seed=self._releases)
        files["model.toml"] = b'memory = "512M"\n' + files["model.toml"]
        for name, data in files.items():
            (folder / name).write_bytes(data)
        packed = archive.pack(folder, MODEL_FILES)
        self.proxy.delivered.clear()
        with Client(self.home.url, timeout=PATIENCE) as client:
            return client.deploy(DEVICE, client.release(packed)), len(packed)

    def hold_in_the_middle(self) -> tuple[int, int]:
        """Deploy a new model, and stop the flow of its chunks halfway."""
        self.proxy.hold_after(256)
        deployed = self.deploy_model()
        until(self.proxy.held.is_set, "half of the model has arrived", PATIENCE)
        return deployed

    def wait_committed(self, generation: int) -> None:
        """Wait until the device says that it keeps this generation; fails with what it says instead."""

        def ended() -> bool:
            update = self.report["update"]
            assert (update["generation"], update["state"]) not in {
                (generation, "REJECTED"),
                (generation, "REVERTED"),
            }, update
            return (update["generation"], update["state"]) == (generation, "COMMITTED")

        until(ended, f"generation {generation} is committed", PATIENCE)
        assert self.report["models"]["heavy"]["version"] == self._releases

    def agent_pid(self) -> int:
        return child_of(self.home.agent.pid)

    def blobs(self) -> list[Path]:
        return list((self.home.files.state / "update" / "blobs").iterdir())

    def _watch(self) -> mqtt.Client:
        topic = topics.of_device(FLEET, DEVICE, "reported")
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.reconnect_delay_set(1, 1)
        client.on_connect = lambda *_: client.subscribe(topic)
        client.on_message = lambda _client, _data, message: self.report.update(json.loads(message.payload))
        return client


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("transfer"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(autouse=True)
def calm(bench: Bench) -> Iterator[None]:
    """Each test begins and ends on a good network, with every part at work."""
    yield
    bench.proxy.faults = Faults()
    bench.proxy.release()


@pytest.mark.parametrize(
    ("what", "faults"),
    [
        ("dropped", Faults(drop=0.05)),
        ("duplicated", Faults(duplicate=0.2)),
        ("reordered", Faults(reorder=0.2)),
        ("corrupted", Faults(corrupt=0.05)),
        ("cut", Faults(cut_every=70)),
    ],
)
def test_it_arrives_over_a_network_on_which_chunks_are(bench: Bench, what: str, faults: Faults):
    bench.proxy.happened.clear()
    bench.proxy.faults = faults
    generation, _ = bench.deploy_model()
    bench.wait_committed(generation)
    assert bench.proxy.happened[what] >= 5
    until(lambda: not bench.blobs(), "what was only for the transfer is removed")


def test_it_takes_little_memory(bench: Bench, capsys: pytest.CaptureFixture[str]):
    pid = bench.agent_pid()
    idle = memory(pid)
    forget_peak(pid)
    generation, length = bench.deploy_model()
    bench.wait_committed(generation)
    assert bench.proxy.bytes_delivered() >= length
    with capsys.disabled():
        print(f" {(peak(pid) - idle) / 1e6:.1f} MB above idle", end="")
    assert peak(pid) - idle <= MEMORY


def test_a_broker_that_is_wiped_in_the_middle_is_given_everything_again(bench: Bench):
    generation, length = bench.hold_in_the_middle()
    bench.home.broker.kill()
    bench.proxy.release()
    bench.home.start_broker()
    bench.wait_committed(generation)
    assert bench.proxy.bytes_delivered() <= length + 3 * AT_RISK


def test_with_the_shim_dead_the_broker_alone_is_enough_though_chunks_are_lost(bench: Bench):
    generation, _ = bench.hold_in_the_middle()
    bench.home.shim.kill()
    bench.proxy.happened.clear()
    bench.proxy.faults = Faults(drop=0.05, corrupt=0.05)
    bench.proxy.release()
    try:
        bench.wait_committed(generation)
        assert bench.proxy.happened["dropped"] + bench.proxy.happened["corrupted"] >= 5
    finally:
        bench.proxy.faults = Faults()
        bench.home.start_shim()


def test_an_agent_killed_in_the_middle_goes_on_from_what_is_on_disk(bench: Bench):
    generation, length = bench.hold_in_the_middle()
    before = bench.proxy.bytes_delivered()
    agent = bench.agent_pid()
    bench.home.agent.kill()
    # Its sockets are open until it is gone.
    until(lambda: not Path(f"/proc/{agent}").exists(), "the agent is gone")
    bench.proxy.release()
    bench.home.start_agent()
    bench.wait_committed(generation)
    assert before >= length // 3
    assert bench.proxy.bytes_delivered() <= length + AT_RISK


def memory(pid: int) -> int:
    return status(pid, "VmRSS")


def peak(pid: int) -> int:
    return status(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Have the peak begin anew from now, see proc(5), /proc/pid/clear_refs."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def status(pid: int, field: str) -> int:
    """A line of /proc/pid/status, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))
