"""The first contact: a board without a password of its own asks to be let in, until the shim has said yes.

It connects as a user with this one right, on a thread of its own; the board's functions go on meanwhile. Its name is
given by agent.toml. The work after it is `joined`'s.
"""

import logging
import random
import threading
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from device.config import AgentConfig, EnrolmentConfig
from device.enrol.passwords import Passwords
from device.link import tls
from device.protocol import enrolment, topics
from device.protocol.enrolment import ACCEPTED, WAITING, Answer, Ask
from device.protocol.errors import ProtocolError

# Seconds between two asks while somebody may still decide, between two connections, and after a no, for somebody may
# change his mind.
ASK_AGAIN, RECONNECT, AFTER_NO = 60.0, 10.0, 600.0
_KEEPALIVE = 30

_log = logging.getLogger(__name__)


class Joining:
    """Sees to it that the board has a password, then calls `joined`, on the caller's thread when it has one already.

    `enrolment` None means: the board must have one already.
    """

    def __init__(self, config: AgentConfig, passwords: Passwords, serial: str, joined: Callable[[], None]) -> None:
        self._config = config
        self._passwords = passwords
        self._serial = serial
        self._joined = joined
        self._last = Answer(WAITING)
        self._told = ""
        self._stopping = threading.Event()
        # One connection's question is answered, or nobody waits for the answer any more.
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="joining", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        if self._config.enrolment is None or self._passwords.has_own:
            self._joined()
        else:
            self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        self._stopping.set()
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        assert self._config.enrolment is not None, "only started with one"
        while not self._stopping.is_set():
            self._last = Answer(WAITING)
            try:
                self._ask_once(self._config.enrolment)
            except (OSError, ValueError) as error:
                _log.debug("Could not ask to be let in: %s", error)
            if self._last.state == ACCEPTED and self._take_over(self._config.enrolment):
                self._joined()
                return
            pause = RECONNECT if self._last.state == WAITING else AFTER_NO
            self._stopping.wait(random.uniform(0.5, 1.0) * pause)

    def _ask_once(self, where: EnrolmentConfig) -> None:
        """One connection; returns when it was answered with yes or no, or has ended, or after ASK_AGAIN seconds."""
        hash = self._passwords.offer()
        broker, fleet, user = self._config.broker, self._config.fleet, topics.ENROL_USER
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=enrolment.client_id(hash), reconnect_on_failure=False
        )
        client.connect_timeout = 5
        client.username_pw_set(user, where.password_file.read_text().strip())
        context = tls.context(broker)
        if context is not None:
            client.tls_set_context(context)  # pyright: ignore[reportUnknownMemberType]
        ask_topic, answer_topic = (
            topics.enrolment(fleet, user, enrolment.client_id(hash), kind) for kind in ("ask", "answer")
        )
        body = Ask(self._config.device, self._config.board, self._serial, hash, _token(where)).encode()
        over = self._over
        over.clear()

        def connected(client: mqtt.Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
            if reason.is_failure:
                self._tell(f"The broker at {broker.host}:{broker.port} does not let this board ask: {reason}")
                over.set()
            else:
                client.subscribe(answer_topic, 1)

        def subscribed(client: mqtt.Client, *_: Any) -> None:
            client.publish(ask_topic, body, 1)

        def answered(client: mqtt.Client, data: Any, message: mqtt.MQTTMessage) -> None:
            if self._answered(bytes(message.payload), hash).state != WAITING:
                over.set()

        client.on_connect, client.on_subscribe, client.on_message = connected, subscribed, answered
        client.on_disconnect = lambda *_: over.set()  # pyright: ignore[reportUnknownLambdaType]
        client.connect(broker.host, broker.port, _KEEPALIVE)
        client.loop_start()
        try:
            # A `stop` before `clear` is seen here, and a later one wakes.
            if not self._stopping.is_set():
                over.wait(ASK_AGAIN)
        finally:
            client.disconnect()
            client.loop_stop()

    def _answered(self, payload: bytes, hash: str) -> Answer:
        try:
            self._last = enrolment.answer(payload)
        except ProtocolError as error:
            _log.warning("Ignored an answer: %s", error)
            return self._last
        told = f": {self._last.reason}" if self._last.reason else ""
        self._tell(
            f"Asked to be let in as {self._config.device} ({enrolment.fingerprint(hash)}): {self._last.state}{told}"
        )
        return self._last

    def _take_over(self, where: EnrolmentConfig) -> bool:
        """The password becomes the board's own, and the means of asking are removed. False when the disk fails."""
        try:
            self._passwords.joined()
            for spent in (where.token_file, where.password_file):
                if spent is not None:
                    spent.unlink(missing_ok=True)
        except OSError as error:
            self._tell(f"The new password could not be written: {error}")
        return self._passwords.has_own

    def _tell(self, text: str) -> None:
        if text != self._told:
            self._told = text
            _log.warning("%s", text)


def _token(where: EnrolmentConfig) -> str:
    file = where.token_file
    return file.read_text().strip() if file is not None and file.exists() else ""
