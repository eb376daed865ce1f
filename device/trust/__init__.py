"""What a board believes of a signed document.

verifier    asks `verify`, and keeps what it has learnt
verify      a short-lived process of its own that parses strangers' bytes with python-tuf
rules       what a verified document may still not say (pure)
"""
