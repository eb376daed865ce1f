"""Gives functions users of their own where the agent is not root: a small program of root's, and how to ask it."""
