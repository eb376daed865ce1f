"""The agent: the one place where a board's parts are wired together.

    python -m device.agent --config agent.toml

It starts the installed functions first, before any network, and connects afterwards. It ends on SIGTERM or SIGINT, and
when its launcher dies, with the outputs at their safe levels. Exit codes: 0 ended as asked, 10 the launcher should
start the wanted version of the agent (device/launcher/line.py), otherwise as device/errors.py says. The decisions are
made elsewhere: in update/, runtime/ and link/.
"""

import argparse
import contextlib
import fcntl
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import TextIO

import boards
from device import logs, report
from device.calls import Calls
from device.config import AgentConfig, load
from device.disk import Usage
from device.doctor import remote as doctor
from device.enrol import hardware, own_name, serial
from device.enrol.displacement import Displacement, Ways
from device.enrol.joining import Joining
from device.enrol.own_name import OwnName
from device.enrol.passwords import Passwords
from device.enrol.renewal import Renewal
from device.errors import LamplightError, RejectedError
from device.faults import FaultsFile
from device.hal.hardware import Hardware
from device.infer.acceptance import accept
from device.launcher import line
from device.launcher.ledger import AGENTS
from device.launcher.line import SWITCH, Line
from device.launcher.pulse import PERIOD
from device.link.outbox import Outbox
from device.link.port_probe import PortProbe
from device.link.session import Session
from device.link.uplink import Uplink
from device.private_memory import keep_memory_private
from device.protocol import cloudevents, enrolment, messages, topics
from device.protocol.fields import items
from device.protocol.reported import REVERTED, Reported
from device.protocol.topics import Topic
from device.runtime.cgroups.groups import Groups, take
from device.runtime.cgroups.places import places
from device.runtime.confinement.probe import mechanisms
from device.runtime.confinement.report import confinement, demand
from device.runtime.policy import Policy
from device.runtime.supervisor import Supervisor
from device.triggers import Sources
from device.update.agent import proof
from device.update.agent.self_update import SelfUpdate
from device.update.engine import Engine
from device.update.status import Update
from device.update.trial.judge import gets_events
from device.version import Versions

# How often the reported state is looked at without a cause.
REPORT_PERIOD = 1.0
# The time for an agent without a launcher to end by itself, in seconds.
LAST_GRACE = 20.0

_log = logging.getLogger(__name__)


class Agent:
    """Every part of one board, made in the order in which they depend on each other."""

    def __init__(self, config: AgentConfig, launcher: Line, groups: Groups) -> None:
        self._config = config
        self._launcher = launcher
        self._versions = Versions(config.state / AGENTS)
        self._exit_code = 0
        self._held: bytes | None = None
        self._last_lack = ""
        self._began = time.monotonic()
        self._last_beat = 0.0
        self._board = boards.load(config.board)
        self._wake = threading.Event()
        self._stopping = False
        self._outbox = Outbox(config.state / "outbox.db")
        logging.getLogger().addHandler(logs.RecordHandler(self._outbox.append))
        pins = Hardware(self._board, config.simulation)
        origin = f"/{config.fleet}/{config.device}/{self._outbox.boot}"
        shared = None if mechanisms().user else os.geteuid()
        self._sources = Sources(pins, self._emit, origin, config.http, config.folders, shared)
        self._supervisor = Supervisor(
            pins,
            self._emit,
            config.state / "scratch",
            config.state / "functions",
            Policy(network=config.confinement.network),
            self._sources,
            groups,
        )
        self._confinement = confinement(groups.held)
        passwords = Passwords(config.broker.password_file)
        board = hardware.name(config.state)
        self._session = Session(config.broker, config.fleet, config.device, self._outbox.boots, passwords, board)
        own = OwnName(config, board, hardware.first_run(config.state, board, self._outbox.boots))
        ways = Ways(self._session.displace, self._show_own, lambda: not launcher.told.trial, self._give_way)
        self._displacement = Displacement(config.state, board, own, ways)
        self._joining = Joining(config, passwords, serial.read(), self._session.start)
        self._renewal = Renewal(config.device, config.board, passwords, self._session.ask, time.monotonic)
        self._probe = PortProbe(config.broker.host, config.broker.port)
        self._uplink = Uplink(self._outbox, self._send_up)
        self._engine = Engine(
            state=config.state / "update",
            fleet=config.fleet,
            device=config.device,
            roots=config.roots,
            runner=self._supervisor,
            chunks=_ChunkLink(self._session, config),
            changed=self._wake.set,
            event=self._note_update,
            accept=accept,
            own=SelfUpdate(config.state / AGENTS, launcher, self._give_way),
        )
        self._calls = Calls(self._call, self._reply)
        self._disk = Usage(config.state)
        self._faults = FaultsFile(config.state)
        self._reported = report.Throttle()
        self._connect_parts()

    def run(self) -> int:
        """Run until `stop`, and give the exit code; the functions are at work before the broker is even looked for."""
        generation = self._engine.boot()
        _log.info("Generation %s runs: %s", generation.number, ", ".join(sorted(generation.functions)) or "nothing yet")
        self._engine.start()
        self._uplink.start()
        self._joining.start()
        if self._launcher.told.trial:
            self._probe.start()
        self._launcher.listen(changed=self._wake.set, orphaned=self._end_orphaned)
        while not self._stopping:
            self._wake.wait(REPORT_PERIOD)
            self._wake.clear()
            self._prove()
            self._report()
            self._renewal.look()
            self._say_alive()
        return self._exit_code

    def stop(self) -> None:
        """Ask `run` to return; safe in a signal handler."""
        self._stopping = True
        self._wake.set()

    def close(self) -> None:
        """End every part: first the makers of events, last their keepers."""
        self._calls.close()
        self._probe.stop()
        self._engine.stop()
        self._supervisor.close()
        self._say_rested()
        self._uplink.stop()
        self._joining.stop()
        self._session.stop()
        self._outbox.close()

    def _say_rested(self) -> None:
        """Tell the resting levels: a stopped board must not be read as having its lamp on."""
        last = self._reported.farewell(self._supervisor.outputs())
        if last is not None and self._session.connected:
            self._publish_report(last)

    def _connect_parts(self) -> None:
        self._outbox.on_append(self._uplink.wake)
        self._session.on("desired", lambda _topic, payload: self._desired(payload))
        self._session.on("chunk", lambda topic, payload: self._engine.chunk(topic.leaf, payload))
        self._session.on("ack", lambda _topic, payload: self._uplink.acknowledged(messages.ack(payload)))
        self._session.on("call", lambda topic, payload: self._calls.submit(topic.leaf, messages.call(payload)))
        self._session.on("answer", lambda _topic, payload: self._answered(payload))
        self._session.on(
            "topic", lambda topic, payload: self._sources.topics.arrived(cloudevents.message(topic.leaf, payload))
        )
        self._sources.topics.link(_TopicLink(self._session, self._config.fleet))
        self._session.on_connected(self._when_connected)

    def _answered(self, payload: bytes) -> None:
        answer = enrolment.answer(payload)
        if not self._displacement.answered(answer):
            self._renewal.answered(answer)

    def _show_own(self, hash: str) -> bool:
        return self._renewal.ask(hash, self._engine.status().generation)

    def _when_connected(self) -> None:
        self._displacement.connected()
        self._engine.connected()
        self._uplink.connected()
        self._sources.topics.connected()
        self._renewal.connected()
        self._reported.forget()
        self._wake.set()

    def _desired(self, payload: bytes) -> None:
        """One switch at a time: while this version of the agent is on trial, deployments wait."""
        if self._launcher.told.trial:
            self._held = payload
        else:
            self._engine.desired(payload)

    def _prove(self) -> None:
        """While this version is on trial, tell the launcher once it has proved itself; then go on with held work."""
        told = self._launcher.told
        if not told.trial:
            self._probe.stop()
            held, self._held = self._held, None
            if held is not None:
                self._engine.desired(held)
            return
        functions = self._supervisor.running().functions
        expected = {str(each) for each in items(told.note.get("functions", []), "note")}
        fed = {name for name in expected if name in functions and gets_events(functions[name].manifest)}
        health, since = self._supervisor.health(), time.monotonic() - self._began
        answered = None if (last := self._probe.answered) is None else last - self._began
        lack = proof.lacking(expected, fed, health, self._session.connected, since, answered)
        if not lack:
            self._launcher.proved()
        elif lack != self._last_lack:
            self._launcher.waits(lack)
        self._last_lack = lack

    def _say_alive(self) -> None:
        """Send the sign of life here, after the main loop's work: it then shows that the whole loop runs."""
        now = time.monotonic()
        if now - self._last_beat >= PERIOD:
            self._launcher.alive()
            self._last_beat = now

    def _give_way(self) -> None:
        """The launcher is to start another version, or this one under another name."""
        self._exit_code = SWITCH
        self.stop()

    def _end_orphaned(self) -> None:
        """The launcher is gone: end, so that the next launcher finds the board free. Called on a thread of its own."""
        _log.warning("The launcher is gone; ending")
        self.stop()
        time.sleep(LAST_GRACE)
        os._exit(1)

    def _emit(self, stream: str, kind: str, fields: Mapping[str, object]) -> None:
        self._outbox.append(stream, kind, fields)
        if kind in ("worker", "sensor"):
            self._wake.set()

    def _note_update(self, update: Update) -> None:
        fields: dict[str, object] = {"generation": update.update, "state": update.state, "reason": update.reason}
        if update.part:
            fields["part"] = update.part
        if update.state == REVERTED:
            fields["evidence"] = dict(update.evidence.get(update.update, {}))
        self._emit("events", "update", fields)
        self._wake.set()

    def _send_up(self, stream: str, payload: bytes) -> bool:
        return self._session.publish(topics.up(self._config.fleet, self._config.device, stream), payload)

    def _call(self, name: str, data: object, type: str) -> object:
        if type == doctor.CALL:
            return doctor.answer(self._config.file, data)
        return self._supervisor.call(name, data, type)

    def _reply(self, function: str, reply: messages.Reply) -> None:
        topic = str(Topic(self._config.fleet, "reply", self._config.device, function))
        self._session.publish(topic, reply.encode(), qos=1)

    def _report(self) -> None:
        functions, running = self._supervisor.health(), self._supervisor.running()
        self._faults.note(functions, running.held)
        composed = report.compose(
            self._board.name,
            self._versions.told(self._launcher.told),
            self._outbox.boot,
            self._engine.status(),
            functions,
            self._supervisor.sensors(),
            running,
            self._confinement,
            self._disk.told(),
            self._supervisor.outputs(),
            self._engine.withdrawn(),
        )
        if not self._session.connected or not self._reported.due(composed):
            return
        self._publish_report(composed)

    def _publish_report(self, told: Reported) -> None:
        topic = topics.of_device(self._config.fleet, self._config.device, "reported")
        self._session.publish(topic, messages.encode(told.to_json()), qos=1, retain=True)


class _ChunkLink:
    """The update engine's view of the link."""

    def __init__(self, session: Session, config: AgentConfig) -> None:
        self.subscribe = session.subscribe_chunks
        self.unsubscribe = session.unsubscribe_chunks
        self._session = session
        self._topic = topics.of_device(config.fleet, config.device, "want")

    @property
    def connected(self) -> bool:
        return self._session.connected

    def want(self, digests: list[str]) -> None:
        self._session.publish(self._topic, messages.encode_want(digests), qos=1)


class _TopicLink:
    """The mqtt triggers' view of the link."""

    def __init__(self, session: Session, fleet: str) -> None:
        self.subscribe = session.subscribe_shared
        self.unsubscribe = session.unsubscribe_shared
        self._session = session
        self._fleet = fleet

    def publish(self, topic: str, payload: bytes) -> bool:
        return self._session.publish(topics.shared(self._fleet, topic), payload, qos=1)


@contextlib.contextmanager
def only_one(state: Path) -> Generator[None]:
    """Hold the state folder's lock: two agents on one board would fight over pins and slots."""
    with _lock_file(state) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RejectedError(
                "The agent is not started",
                f"another agent already uses {state}",
                "Stop that one first",
            ) from None
        yield


def _lock_file(state: Path) -> TextIO:
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        return (state / "lock").open("w")
    except OSError as error:
        raise LamplightError(
            "The agent is not started",
            f"its state folder {state} cannot be used: {error.strerror}",
            "Look at the path, its owner, and whether the disk is full or read-only",
        ) from None


def run(config: AgentConfig, launcher: Line) -> int:
    """Run one board until SIGTERM or SIGINT, or until the agent is to be started again."""
    with only_one(config.state):
        config = own_name.take_up(config)
        groups = take(places())
        # Before there are threads: the probing forks.
        demand(config.confinement.require, confinement(groups.held))
        agent = Agent(config, launcher, groups)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: agent.stop())
        try:
            return agent.run()
        finally:
            agent.close()


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m device.agent", description="Run Lamplight's agent on this board.")
    parser.add_argument("--config", type=Path, required=True, help="the board's agent.toml")
    parser.add_argument("--debug", action="store_true", help="log everything, show tracebacks")
    options = parser.parse_args(arguments)
    keep_memory_private()
    logs.to_stderr(options.debug)
    try:
        return run(load(options.config), line.from_environment())
    except LamplightError as error:
        if options.debug:
            raise
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
