"""The MQTT broker: its process, its certificate, its passwords, and the access to topics."""
