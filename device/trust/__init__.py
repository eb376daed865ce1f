"""How a board comes to believe a signed document.

verifier    asks `verify`, and keeps the metadata it came to trust
verify      a short-lived process of its own that parses strangers' bytes with python-tuf
rules       the rules for a verified document to be believed (pure)
"""
