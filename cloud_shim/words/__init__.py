"""What command line and console both say: amounts, addresses, transfers, evidence and keys, as text."""
