"""How the way to the broker is secured: the TLS context for the settings of agent.toml. It opens no connection."""

import ssl

from device.config import BrokerConfig


def context(broker: BrokerConfig) -> ssl.SSLContext | None:
    """The context to connect with; None for a broker without TLS.

    The broker's certificate must be for its name and signed by the authority in `ca_file`, or without a `ca_file` by
    one trusted by the system. Raises OSError when the file is unreadable or holds no certificate (ssl.SSLError).
    """
    if not broker.tls:
        return None
    made = ssl.create_default_context(cafile=str(broker.ca_file) if broker.ca_file else None)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made
