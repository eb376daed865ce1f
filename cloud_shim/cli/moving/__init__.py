"""Moves functions from a cloud to here: reads its description of them, and writes folders with a `function.toml`.

Each cloud's form is read in a file of its own; all give the same Function, and name everything left behind.
"""
