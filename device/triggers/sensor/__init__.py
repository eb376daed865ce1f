"""The sensor trigger, and its gate from readings to events."""
