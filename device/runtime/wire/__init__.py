"""Between agent and worker: the messages, and the socket that carries them."""
