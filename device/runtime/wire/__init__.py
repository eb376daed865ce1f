"""Between agent and worker: the messages, and their socket."""
