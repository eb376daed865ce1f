"""Runs a function again over what a board recorded: same trace, same decisions, on any machine."""
