"""The board's side of MQTT: the session with the broker, the durable outbox, and the sender between them."""
