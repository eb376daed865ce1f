"""The parent process of all workers, and the guardian of its outputs."""
