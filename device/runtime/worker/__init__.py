"""The process that runs one function: its handler, the context it is given, and its durable state."""
