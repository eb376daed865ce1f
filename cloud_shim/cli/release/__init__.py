"""From a folder on this machine to a release at the shim: packed, its packages resolved, signed and pushed."""
