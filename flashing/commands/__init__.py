"""The commands of `flash.py`, one module each."""
