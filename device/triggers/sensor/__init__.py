"""The sensor trigger, and the gate that says which readings are an event."""
