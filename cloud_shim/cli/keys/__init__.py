"""The keys for releases and roots, when they are on this machine."""
