"""The words common to command line and console: amounts, addresses, transfers, evidence and keys, as text."""
