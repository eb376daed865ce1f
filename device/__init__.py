"""The software of a board: the agent, and the parts it wires together."""
