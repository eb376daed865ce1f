"""The process that all workers are forked from, and the guardian of what it leaves behind."""
