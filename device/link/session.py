"""The MQTT session: stays connected, says so in `presence`, hands incoming messages to their handlers.

The connection has a thread of its own; its waiting and writing are pump.py's. It keeps nothing durable: that is for the
outbox and the update engine.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from device.config import BrokerConfig
from device.link import backoff, pump, tls
from device.protocol import enrolment, messages, topics
from device.protocol.errors import ProtocolError
from device.protocol.topics import Topic

KEEPALIVE = 30
# Hosted brokers take so many in one SUBSCRIBE: https://docs.aws.amazon.com/general/latest/gr/iot-core.html
_FILTERS = 8
# A session number is (boots, connections); this many connections fit in one boot.
_CONNECTIONS_PER_BOOT = 1_000_000

Handler = Callable[[Topic, bytes], None]
# Messages for "now". One kept by the broker is from before: it would come again after each reconnection.
_NOW = ("topic", "call")
_BAD_LOGIN = ("Not authorized", "Bad user name or password")
_log = logging.getLogger(__name__)


class Login(Protocol):
    """The source of the password; it is told whether the broker took it."""

    def choose(self) -> str:
        """The password to connect with now."""
        ...

    def worked(self) -> None:
        """The broker took it."""

    def refused(self) -> None:
        """The broker refused it."""


class Session:
    """One board's connection. Register handlers with `on`, then `start`."""

    def __init__(
        self, broker: BrokerConfig, fleet: str, device: str, boots: int, login: Login, hardware: str = ""
    ) -> None:
        self._broker = broker
        self._login = login
        self._hardware = hardware
        self._displaced = False
        self._fleet = fleet
        self._device = device
        self._session = boots * _CONNECTIONS_PER_BOOT
        self._handlers: dict[str, Handler] = {}
        self._on_connected: list[Callable[[], None]] = []
        self._stopping = threading.Event()
        self._connected = threading.Event()
        self._accepted = False
        self._client_id: str = ""
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        # The listeners for the broker's answer to a SUBSCRIBE, by its number.
        self._asking = threading.Lock()
        self._asked: dict[int | None, Callable[[Sequence[bool]], None]] = {}
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us and we are subscribed."""
        return self._connected.is_set()

    def on(self, kind: str, handler: Handler) -> None:
        """Give messages of this topic kind to `handler`, on paho's thread: it must not block."""
        self._handlers[kind] = handler

    def on_connected(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each (re)connection, on paho's thread."""
        self._on_connected.append(listener)

    def start(self) -> None:
        """Begin to connect; returns at once, with or without a broker there."""
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye and end the connection."""
        self._stopping.set()
        if self.connected:
            self._publish_presence(online=False).wait_for_publish(timeout=1)
        self._client.disconnect()
        if self._thread.ident is not None:
            self._thread.join(timeout=5)

    def displace(self) -> None:
        """Another board is this device: give up the connection, and come back after a long pause."""
        self._displaced = True
        self._client.disconnect()

    def publish(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False) -> bool:
        """Send when connected; otherwise give False and drop it: paho's own queue would die with the process."""
        if not self.connected:
            return False
        return self._client.publish(topic, payload, qos, retain).rc == mqtt.MQTT_ERR_SUCCESS

    def ask(self, payload: bytes) -> bool:
        """Send a request for the shim to answer with an "answer"; as `publish`."""
        return self.publish(self._enrolment("ask"), payload, qos=1)

    def subscribe_chunks(self, digests: Sequence[str]) -> None:
        """Subscribe to these chunks at QoS 0."""
        for some in _packets(digests) if self.connected else ():
            self._client.subscribe([(topics.chunk(self._fleet, each), 0) for each in some])

    def unsubscribe_chunks(self, digests: Sequence[str]) -> None:
        """End these subscriptions."""
        self._unsubscribe([topics.chunk(self._fleet, digest) for digest in digests])

    def subscribe_shared(self, filters: Sequence[str], answered: Callable[[str, bool], None]) -> None:
        """Subscribe to these topics of the fleet at QoS 1; `answered` hears of each whether the broker grants it, on
        paho's thread.
        """
        for some in _packets(filters) if self.connected else ():
            # The answer may be there before `subscribe` has returned its number.
            with self._asking:
                _, number = self._client.subscribe([(topics.shared(self._fleet, each), 1) for each in some])
                self._asked[number] = partial(_tell_each, some, answered)

    def unsubscribe_shared(self, filters: Sequence[str]) -> None:
        """End these subscriptions."""
        self._unsubscribe([topics.shared(self._fleet, each) for each in filters])

    def _unsubscribe(self, names: Sequence[str]) -> None:
        for some in _packets(names) if self.connected else ():
            self._client.unsubscribe(some)

    def _make_client(self, identity: str, password: str) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=identity, clean_session=True, reconnect_on_failure=False
        )
        client.username_pw_set(self._broker.username, password)
        if self._broker.tls:
            client.tls_set_context(tls.context(self._broker))  # pyright: ignore[reportUnknownMemberType]
        client.on_connect = self._when_connected
        client.on_disconnect = self._when_disconnected
        client.on_message = self._when_message
        client.on_subscribe = self._when_subscribed
        pump.prepare(client)
        client.connect_timeout = 5
        return client

    def _run(self) -> None:
        tries = backoff.NONE
        while not self._stopping.is_set():
            self._displaced, began = False, time.monotonic()
            accepted = self._connect_once()
            lasted = time.monotonic() - began
            tries = backoff.after(tries, backoff.Attempt(accepted, lasted, self._displaced))
            if tries.short == backoff.SUSPICIOUS:
                _log.warning(
                    "The connection ends again and again as soon as it stands: does another board have this one's name "
                    "and password, as after the copy of a card? Pausing for longer; everything here goes on"
                )
            self._stopping.wait(backoff.pause(tries))

    def _connect_once(self) -> bool:
        """One connection, from first byte to last; False when it could not be opened."""
        self._session += 1
        will = messages.Presence(online=False, session=self._session).encode()
        self._accepted = False
        try:
            self._log_in()
            self._client.will_set(topics.of_device(self._fleet, self._device, "presence"), will, qos=1, retain=True)
            self._client.connect(self._broker.host, self._broker.port, KEEPALIVE)
            pump.run(self._client)
        except (OSError, ValueError) as error:
            _log.debug("No connection to the broker: %s", error)
        self._connected.clear()
        return self._accepted

    def _log_in(self) -> None:
        """Make sure of a client for the present password; at each attempt, for its files may come late."""
        password = self._login.choose()
        identity = enrolment.login_id(f"lamplight-{self._fleet}-{self._device}", password)
        if identity != self._client_id:
            self._client = self._make_client(identity, password)
            self._client_id = identity

    def _when_connected(self, client: mqtt.Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            _log.warning("The broker at %s:%s refused us: %s", self._broker.host, self._broker.port, reason)
            if reason.getName() in _BAD_LOGIN:
                self._login.refused()
            return
        self._took_login()
        with self._asking:
            self._asked.clear()
        client.subscribe(
            [
                (topics.of_device(self._fleet, self._device, "desired"), 1),
                (topics.of_device(self._fleet, self._device, "ack"), 0),
                (topics.calls_filter(self._fleet, self._device), 1),
                (self._enrolment("answer"), 1),
            ]
        )
        self._accepted = True
        self._connected.set()
        self._publish_presence(online=True)
        _log.info("Connected to the broker at %s:%s", self._broker.host, self._broker.port)
        for listener in self._on_connected:
            listener()

    def _took_login(self) -> None:
        try:
            self._login.worked()
        except OSError as error:
            _log.warning("The password that the broker took could not be kept: %s", error)

    def _enrolment(self, kind: str) -> str:
        return topics.enrolment(self._fleet, self._device, self._client_id, kind)

    def _when_subscribed(self, client: mqtt.Client, userdata: Any, number: int, reasons: Any, properties: Any) -> None:
        with self._asking:
            answered = self._asked.pop(number, None)
        if answered:
            answered([not reason.is_failure for reason in reasons])

    def _when_disconnected(self, client: mqtt.Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if self._connected.is_set() and not self._stopping.is_set():
            _log.warning("The connection to the broker is gone: %s; everything here goes on", reason)
        self._connected.clear()

    def _when_message(self, client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:
        try:
            topic = topics.parse(message.topic)
        except (ProtocolError, UnicodeDecodeError) as error:
            _log.warning("Ignored a message: %s", error)
            return
        if message.retain and topic.kind in _NOW:
            _log.warning("Ignored a retained message on %s: what happened before is no event", message.topic)
            return
        handler = self._handlers.get(topic.kind)
        if handler is None or topic.fleet != self._fleet or topic.device not in ("", self._device):
            return
        try:
            handler(topic, bytes(message.payload))
        except ProtocolError as error:
            _log.warning("Ignored a message on %s: %s", message.topic, error)
        except Exception as error:
            # A full disk under the outbox, or a fault of ours: an error rising from here ends the connection's thread.
            _log.error("A message on %s could not be handled: %r", message.topic, error)

    def _publish_presence(self, online: bool) -> mqtt.MQTTMessageInfo:
        now, hardware = (time.time(), self._hardware) if online else (None, "")
        body = messages.Presence(online, self._session, now, hardware).encode()
        return self._client.publish(topics.of_device(self._fleet, self._device, "presence"), body, qos=1, retain=True)


def _tell_each(filters: Sequence[str], answered: Callable[[str, bool], None], granted: Sequence[bool]) -> None:
    for filter, each in zip(filters, granted, strict=False):
        answered(filter, each)


def _packets(names: Sequence[str]) -> Iterator[list[str]]:
    return (list(names[start : start + _FILTERS]) for start in range(0, len(names), _FILTERS))
