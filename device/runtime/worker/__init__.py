"""The process of one function: its handler, its context, and its durable state."""
