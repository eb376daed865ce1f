"""Numbered, checked and kept releases: their bytes, their patches and their sources."""
