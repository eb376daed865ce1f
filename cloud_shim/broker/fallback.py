"""The broker for machines without mosquitto: amqtt, on loopback, with the same users and access rules.

`python -m cloud_shim.broker.fallback --folder DIR --port N --fleet F`, as setup.py names it. For trying things out: it
is slow, speaks MQTT 3.1.1 only, and loses its retained messages at its end (the shim then sends them again).
"""

import argparse
import asyncio
import logging
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from amqtt.broker import Broker  # pyright: ignore[reportMissingTypeStubs]
from amqtt.contexts import Action, BaseContext, BrokerConfig, ListenerConfig  # pyright: ignore[reportMissingTypeStubs]
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin  # pyright: ignore[reportMissingTypeStubs]
from amqtt.session import Session  # pyright: ignore[reportMissingTypeStubs]

from cloud_shim.broker import access, credentials

logger = logging.getLogger(__name__)


class PasswordPlugin(BaseAuthPlugin):
    """Lets the users of the password file in. Reads it at each connection, so new devices take effect by themselves."""

    @dataclass
    class Config(BaseAuthPlugin.Config):
        """The password file (made by setup.py), and the fleet of the topics."""

        passwords: str = ""
        fleet: str = ""

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)
        assert isinstance(context.config, self.Config), "amqtt gives a plugin its own Config"
        self._passwords = Path(context.config.passwords)
        self._fleet = context.config.fleet

    async def authenticate(self, *, session: Session) -> bool:
        """Whether name and password are right, and the user may publish the session's will."""
        user, password = session.username or "", session.password or ""
        hashed = credentials.read(self._passwords).get(user, "")
        if not credentials.matches(password, hashed):
            return False
        # amqtt publishes wills without asking the topic plugins.
        return not session.will_flag or access.may(self._fleet, user, "write", session.will_topic or "")


class AccessPlugin(BaseTopicPlugin):
    """Applies access.py's rules to every message. Subscribing is free, as in mosquitto: the rules guard receiving."""

    @dataclass
    class Config(BaseTopicPlugin.Config):
        """The fleet of the topics."""

        fleet: str = ""

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)
        assert isinstance(context.config, self.Config), "amqtt gives a plugin its own Config"
        self._fleet = context.config.fleet

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool:
        """Whether the session's user may do this with the topic."""
        user = (session.username if session else None) or ""
        if action is Action.SUBSCRIBE:
            return True
        return access.may(self._fleet, user, "write" if action is Action.PUBLISH else "read", topic or "")


class StrictBroker(Broker):
    """amqtt, with each retained message only for clients with a subscription to it and the right to read it.

    amqtt 0.12 sends a new client the retained messages for *any* client's subscriptions, and skips the topic plugins.
    """

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        topic_filter, _ = subscription
        if all(each.client_id != session.client_id for each, _ in self.subscriptions.get(topic_filter, [])):
            return
        handler = self._get_handler(session)
        for topic, message in list(self.retained_messages.items()):
            if (
                handler
                and self._matches(topic, topic_filter)
                and await self._topic_filtering(session, topic, Action.RECEIVE)
            ):
                qos = min(subscription[1], message.qos or 0)
                await handler.mqtt_publish(topic, message.data or b"", qos, retain=True)


def configuration(folder: Path, host: str, port: int, fleet: str) -> BrokerConfig:
    """amqtt's configuration for the password file in `folder`."""
    plugins = {
        f"{__name__}.PasswordPlugin": {"passwords": str(folder / "passwords"), "fleet": fleet},
        f"{__name__}.AccessPlugin": {"fleet": fleet},
    }
    return BrokerConfig(listeners={"default": ListenerConfig(bind=f"{host}:{port}")}, plugins=plugins)


async def serve(settings: BrokerConfig) -> None:
    """Run the broker until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    broker = StrictBroker(settings)
    await broker.start()
    await stop.wait()
    await broker.shutdown()


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m cloud_shim.broker.fallback", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where setup.py put the password file")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--fleet", required=True)
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(serve(configuration(chosen.folder, chosen.host, chosen.port, chosen.fleet)))


if __name__ == "__main__":
    # Not as __main__'s: amqtt imports the plugins by their module's name, and would get a second copy of them.
    from cloud_shim.broker import fallback

    fallback.main()
