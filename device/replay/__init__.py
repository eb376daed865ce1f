"""Runs a function again over a board's recorded events: same trace, same decisions, on any machine."""
