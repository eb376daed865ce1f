"""Models that can be deployed, one folder each: how each was made, and the files that a board is sent."""
