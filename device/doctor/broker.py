"""The way to the broker, step by step: its name, its port, our credentials, and our rights under its rules.

Each step is a check; after an impossible step the later ones are left out. It connects beside the agent, under a name
of its own, and leaves nothing behind: the one message it sends asks the shim for no chunks.
"""

import os
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from device.config import BrokerConfig, is_loopback
from device.doctor.check import Finding, fail, ok, skip, warn
from device.doctor.credentials import unreadable
from device.link import tls
from device.protocol import messages, topics

# Seconds for each answer of the broker.
PATIENCE = 5.0
# Seconds for a retained message: it comes with the subscription's acknowledgement, or there is none.
_RETAINED = 2.0
_EARLIER = "not tried: an earlier step failed"
_CERTIFICATE = (
    "`host` must be a name that the broker's certificate has (`lamplight up --listen-name`), `ca_file` the authority "
    "that signed it; with a public authority the clock must be right too"
)
_RULES = "Let the broker's rules give the device its own topics (docs/protocol/connection.md), as `lamplight up` does"


class Broker:
    """One broker, as `user` of it. Its methods are the steps, to be called in this order."""

    def __init__(self, config: BrokerConfig, name: str) -> None:
        self._config = config
        self._name = f"{name}-doctor-{os.getpid()}"
        self._way: list[str] = []

    def resolves(self) -> Finding:
        """The broker's name leads to an address."""
        try:
            found = socket.getaddrinfo(self._config.host, self._config.port, type=socket.SOCK_STREAM)
        except OSError as error:
            return fail(
                f"{self._config.host} has no address: {error.strerror or error}",
                "Correct `host` in agent.toml, or the network's name server (`resolvectl status`)",
            )
        self._way.append("resolves")
        return ok(f"{self._config.host} is {found[0][4][0]}")

    def reachable(self) -> Finding:
        """Something takes connections there."""
        if "resolves" not in self._way:
            return skip(_EARLIER)
        where = f"{self._config.host}:{self._config.port}"
        try:
            socket.create_connection((self._config.host, self._config.port), PATIENCE).close()
        except OSError as error:
            return fail(
                f"nothing answers at {where}: {error.strerror or error}",
                "Start the broker; look at its port, at firewalls and at the cable. What runs here goes on",
            )
        self._way.append("reachable")
        return ok(f"{where} takes connections")

    def secured(self) -> Finding:
        """We trust its certificate, for the name we know the broker by."""
        if "reachable" not in self._way:
            return skip(_EARLIER)
        if self._config.tls:
            found = self._certificate()
        elif is_loopback(self._config.host):
            found = skip("the broker is on this machine")
        else:
            remedy = (
                "Remove `tls = false` from agent.toml, and let the broker listen with TLS (`lamplight up --listen`)"
            )
            found = warn("the password crosses the network in clear", remedy)
        return found

    def _certificate(self) -> Finding:
        try:
            context = tls.context(self._config)
            assert context is not None, "asked only with TLS"
            with (
                socket.create_connection((self._config.host, self._config.port), PATIENCE) as plain,
                context.wrap_socket(plain, server_hostname=self._config.host) as wrapped,
            ):
                told: dict[str, Any] = wrapped.getpeercert() or {}
                self._way.append("secured")
                return ok(f"{wrapped.version()}; its certificate is good until {told.get('notAfter')}")
        except ssl.SSLCertVerificationError as error:
            return fail(f"its certificate is not taken: {error.verify_message}", _CERTIFICATE)
        except (OSError, ValueError) as error:
            return fail(f"no TLS connection came to be: {error}", _CERTIFICATE)

    def accepts(self) -> Finding:
        """The broker takes our user and password."""
        if ("secured" if self._config.tls else "reachable") not in self._way:
            return skip(_EARLIER)
        if unreadable(self._config.password_file):
            return skip("not tried: the password cannot be read")
        with self._session() as session:
            if session.refusal:
                return judge_refusal(session.refusal, self._config.username)
        self._way.append("accepts")
        return ok(f"it takes {self._config.username!r} and its password")

    def may_publish(self, topic: str, harmless: bytes) -> Finding:
        """The rules let us send on `topic`; tried with a harmless message there."""
        if "accepts" not in self._way:
            return skip(_EARLIER)
        with self._session() as session:
            if session.version != MQTTProtocolVersion.MQTTv5:
                return skip("it speaks no MQTT 5, which alone can say that something may not be published")
            return judge_rules(session.publish(topic, harmless), topic)

    def delivers(self, topic: str, expected: bool) -> Finding:
        """A message retained on `topic` reaches us; `expected` when there must be one."""
        if "accepts" not in self._way:
            return skip(_EARLIER)
        with self._session() as session:
            return judge_delivery(session.retained(topic), expected)

    def _session(self) -> "_Session":
        session = _Session(self._config, self._name, MQTTProtocolVersion.MQTTv5)
        if session.refusal and not session.told:
            # It hung up, or does not know this version.
            session.close()
            session = _Session(self._config, self._name, MQTTProtocolVersion.MQTTv311)
        return session


def of_device(config: BrokerConfig, fleet: str, device: str) -> tuple[Broker, Callable[[], Finding]]:
    """The broker of a device, and the check of the device's right to send under its rules."""
    broker = Broker(config, f"lamplight-{fleet}-{device}")
    want = topics.of_device(fleet, device, "want")
    return broker, lambda: broker.may_publish(want, messages.encode_want([]))


def judge_refusal(reason: str, user: str) -> Finding:
    """The broker answered a connection with this refusal."""
    return fail(
        f"it refuses {user!r}: {reason}",
        "Provision the device again, which gives it a new password; look for the device in `lamplight devices`",
    )


def judge_rules(reason: str, topic: str) -> Finding:
    """The broker's answer to a publication: "" when it took it, else the reason of the refusal."""
    if not reason:
        return ok("the device's own topics can be used")
    return fail(f"it does not take what is sent to {topic}: {reason}", _RULES)


def judge_delivery(payload: bytes | None, expected: bool) -> Finding:
    """The message retained as `desired`, or None; `expected` when the device was given a deployment before."""
    if payload:
        return ok(f"the desired state is there, {len(payload):,} bytes")
    if expected:
        return warn(
            "it holds no desired state for this device, which was given one before",
            f"The shim sends it at each reconnection: look at whether it runs. {_RULES}",
        )
    return ok("no desired state is there; nothing was deployed yet")


class _Session:
    """A short connection; `refusal` is why it failed ("" when connected), `told` whether the broker said so."""

    def __init__(self, config: BrokerConfig, name: str, version: MQTTProtocolVersion) -> None:
        self.version = version
        self.refusal = "it does not answer"
        self.told = False
        self._answered = threading.Event()
        self._reason = ""
        self._payload: bytes | None = None
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=version, reconnect_on_failure=False
        )
        self._client.username_pw_set(config.username, config.password_file.read_text().strip())
        context = tls.context(config)
        if context is not None:
            self._client.tls_set_context(context)  # pyright: ignore[reportUnknownMemberType]
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_publish = self._published
        self._client.on_message = self._arrived
        self._client.connect(config.host, config.port, keepalive=30)
        self._client.loop_start()
        self._answered.wait(PATIENCE)

    def __enter__(self) -> "_Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: bytes) -> str:
        """The broker's reason to refuse this; "" when it takes it."""
        self._answered.clear()
        self._client.publish(topic, payload, qos=1)
        return self._reason if self._answered.wait(PATIENCE) else "it does not answer"

    def retained(self, topic: str) -> bytes | None:
        """The broker's retained message there, or None."""
        self._answered.clear()
        self._client.subscribe(topic, qos=1)
        self._answered.wait(_RETAINED)
        return self._payload

    def _connected(self, client: Any, data: Any, flags: Any, reason: ReasonCode, _: Any) -> None:
        self.refusal = str(reason) if reason.is_failure else ""
        # Only these speak of us, and not of the version of the protocol.
        self.told = not reason.is_failure or reason.getName() in ("Not authorized", "Bad user name or password")
        self._answered.set()

    def _disconnected(self, client: Any, data: Any, flags: Any, reason: ReasonCode, _: Any) -> None:
        self._answered.set()

    def _published(self, client: Any, data: Any, number: int, reason: ReasonCode, _: Any) -> None:
        self._reason = str(reason) if reason.is_failure else ""
        self._answered.set()

    def _arrived(self, client: Any, data: Any, message: mqtt.MQTTMessage) -> None:
        self._payload = bytes(message.payload)
        self._answered.set()


def judge_alone(displaced: str) -> Finding:
    """Whether this board has its name for itself; `displaced` is the shim's word that it has not."""
    if displaced:
        return fail(
            f"two boards have this one's name: {displaced}", "Choose, as it says; meanwhile this board is offline"
        )
    return ok("no other board claims this one's name, by the shim's last word")
