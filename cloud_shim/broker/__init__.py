"""The MQTT broker: its process, its certificate, who has a password, and who may use which topic."""
