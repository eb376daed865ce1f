"""The shim's MQTT session: connects, reconnects, sends and receives, on a thread of its own.

Of topics it knows only the ones to subscribe to. Messages are understood by records/ingest.py and made by
fleet/publisher.py.
"""

import logging
import threading
import time
from collections.abc import Callable

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from cloud_shim.broker.access import SHIM_USER
from device.errors import OfflineError
from device.link import pump
from device.protocol import topics
from device.protocol.enrolment import login_id

logger = logging.getLogger(__name__)

OnMessage = Callable[[str, bytes, bool], None]
"""(topic, payload, whether it was retained before we subscribed)"""
OnConnect = Callable[[bool], None]
"""Called with whether the broker still knew our session. If it forgot the session, it lost our retained messages."""

_SUBSCRIPTIONS = (("presence", 1), ("reported", 1), ("want", 1), ("up", 0), ("reply", 1), ("ask", 1))
_KEEPALIVE = 20
# Seconds: the longest pause between two attempts to reach the broker, and the limit of one attempt.
_RETRY_CAP, _CONNECT = 10.0, 5.0
# One chunk takes up to 128 kB: 32 of them are enough to keep the broker busy.
_IN_FLIGHT = 32


class Link:
    """One session with the broker. It begins with `start`, and with the receivers given there."""

    def __init__(self, host: str, port: int, fleet: str, password: str) -> None:
        self.host = host
        self.port = port
        self.fleet = fleet
        self._ready = False
        self._since = 0.0
        self._accepted = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)
        # A session that outlives the connection: its absence tells that the broker lost its state.
        identity = login_id(f"{fleet}-shim", password)
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=identity, clean_session=False)
        self._client.username_pw_set(SHIM_USER, password)
        self._client.max_inflight_messages_set(_IN_FLIGHT)
        self._client.connect_timeout = _CONNECT
        pump.prepare(self._client)

    @property
    def connected(self) -> bool:
        """Whether the broker is there now, and the devices' messages reach us."""
        return self._ready and self._client.is_connected()

    @property
    def listening(self) -> float | None:
        """The time since when the devices' messages reach us, in seconds since 1970; None when they fail to."""
        return self._since if self.connected else None

    def start(self, on_message: OnMessage, on_connect: OnConnect, on_disconnect: Callable[[], None]) -> None:
        """Connect in the background and stay connected. The receivers run on the session's thread."""
        session_present = False

        def connected(
            client: mqtt.Client, data: object, flags: mqtt.ConnectFlags, reason: ReasonCode, _: Properties | None
        ) -> None:
            nonlocal session_present
            if reason.is_failure:
                logger.warning("the broker at %s:%d refuses the shim: %s", self.host, self.port, reason)
                return
            self._accepted = True
            session_present = flags.session_present
            client.subscribe([(topics.fleet_filter(self.fleet, kind), qos) for kind, qos in _SUBSCRIPTIONS])

        def subscribed(client: mqtt.Client, data: object, id: int, reasons: object, _: Properties | None) -> None:
            if self._ready:
                return  # the answer to `hear_states`
            self._since = time.time()
            self._ready = True
            _guarded("the connection", on_connect, session_present)

        def disconnected(
            client: mqtt.Client, data: object, flags: mqtt.DisconnectFlags, reason: ReasonCode, _: Properties | None
        ) -> None:
            self._ready = False
            if reason.is_failure:
                logger.warning("lost the broker at %s:%d: %s", self.host, self.port, reason)
            _guarded("the disconnection", on_disconnect)

        def received(client: mqtt.Client, data: object, message: mqtt.MQTTMessage) -> None:
            _guarded(f"a message on {message.topic}", on_message, message.topic, bytes(message.payload), message.retain)

        self._client.on_connect = connected
        self._client.on_subscribe = subscribed
        self._client.on_disconnect = disconnected
        self._client.on_message = received
        self._thread.start()

    def send(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> mqtt.MQTTMessageInfo:
        """Hand `payload` to the broker; OfflineError when it is away."""
        if not self.connected:
            raise OfflineError(
                f"The broker at {self.host}:{self.port} is not connected",
                "",
                "Start it; the shim reconnects by itself.",
            )
        return self._client.publish(topic, payload, qos, retain)

    def hear_states(self) -> None:
        """Have the broker send every device's state again: a flood in our queue may have made it drop the news."""
        if self.connected:
            kinds = [(kind, qos) for kind, qos in _SUBSCRIPTIONS if kind in topics.STATES]
            self._client.subscribe([(topics.fleet_filter(self.fleet, kind), qos) for kind, qos in kinds])

    def close(self) -> None:
        """Say goodbye and stop the thread."""
        self._closing.set()
        self._client.disconnect()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        failures = 0
        while not self._closing.is_set():
            failures = 0 if self._connect_once() else failures + 1
            self._closing.wait(pump.retry_delay(failures, _RETRY_CAP))

    def _connect_once(self) -> bool:
        """One connection, from first byte to last; False when the broker refused us."""
        self._accepted = False
        try:
            self._client.connect(self.host, self.port, _KEEPALIVE)
        except (OSError, ValueError) as error:
            logger.debug("no connection to the broker at %s:%d: %s", self.host, self.port, error)
            return False
        # A `close` during the connecting had no connection to end yet.
        if not self._closing.is_set():
            pump.run(self._client)
        return self._accepted


def _guarded(what: str, receiver: Callable[..., None], *arguments: object) -> None:
    """Call a receiver, and log its failure: one bad message must not end the session for every device."""
    try:
        receiver(*arguments)
    except Exception:
        logger.exception("could not handle %s", what)
