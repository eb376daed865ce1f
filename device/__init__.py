"""What runs on a board: the agent, and the parts that it wires together."""
